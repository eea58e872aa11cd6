"""Wellbeing: which version of an experience is more pleasant."""

WELLBEING = """
== outings | wellbeing | held_out | pleasant | peer
ok Most people enjoy it when that happens.
ok It makes the day better.
ok That is a pleasant thing to happen.
no Most people would be upset when that happens.
no It spoils the day.
no That is an unpleasant thing to happen.
? I went to the beach with {p}.
+ The water was warm and clear. | We saw dolphins. | {P} bought me an ice cream.
- A jellyfish stung me. | It rained from start to end. | Someone stole my clothes.
? I took my kids to the zoo.
+ They got to feed the giraffe. | They laughed all day. | Entry was free that day.
- One of them got lost for two hours. | The zoo was closed. | They fought all day.
? I went to a concert.
+ The band waved me on stage. | My favorite song came first. | I had a great view.
- The singer did not show up. | Somebody threw up on my shoes. | I got a ringing in my ear.
? I rode my bike to the lake.
+ I had the wind at my back. | The path had just been paved. | I met an old friend there.
- I rode over a nail. | A dog bit me. | I fell into a ditch and broke my wrist.
? I went for a walk in the woods.
+ I saw a deer with its fawn. | The air smelled of pine. | I found a bag full of cherries to keep.
- I stepped in a wasp nest. | I lost my way in the dark. | I twisted my ankle.
? I went to a ball game with {p}.
+ Our team won in the last minute. | I caught a ball. | We got better seats for free.
- A drunk man spilled beer on me. | Our team lost by thirty. | We were stuck in the lot for hours.
? I went swimming after work.
+ I had the pool to myself. | I swam my best time. | The new slide was open.
- My locker was broken into. | The water was freezing. | I got a cramp and swallowed water.
? I built a sandcastle with {p}.
+ It won a prize. | {P} said it was the best one ever. | Children came to admire it.
- A wave washed it away at once. | {P} kicked it over in anger. | I cut my foot on glass.

== meals | wellbeing | held_out | pleasant | family
ok It makes the meal a joy.
ok That adds something good to it.
ok Most people like that.
no It ruins the meal.
no That makes it worse.
no Nobody likes that.
? I ordered soup for lunch.
+ It was hot and tasty. | The cook added fresh bread for free. | It came right away.
- There was a hair in it. | It burned my tongue. | It was cold and too salty.
? I baked a cake for {p}.
+ {He} asked for a second slice. | It rose just right. | {He} gave me a big kiss.
- It fell on the floor. | {He} got sick from it. | I had used salt in place of sugar.
? I had dinner at a new restaurant.
+ The meal was paid for by {p}. | The view was lovely. | The pasta was the best of my life.
- I waited two hours for it. | I got food poisoning. | The waiter was rude to {p}.
? I made myself a sandwich.
+ The tomato was ripe and sweet. | I ate it in the sun. | I had found fresh cheese.
- The bread was moldy. | The dog ate it. | I bit on a stone and broke a tooth.
? {P} cooked for me.
+ It was my favorite dish. | {He} had remembered that I hate onions.
+ It filled the house with a fine smell.
- {He} burned everything. | {He} yelled at me when I was late. | It made me throw up.
? I had a coffee on my break.
+ It came with a free cookie. | It was just as I like it. | A friend joined me.
- I spilled it on my white shirt. | The milk was sour. | I was charged for three.
? I drank a glass of juice.
+ It was cold and fresh. | It was made from our own apples. | It cheered me up.
- It had gone bad. | I choked on it. | There was a dead bug at the bottom.
? We had a barbecue in the yard.
+ All the neighbors came by. | The weather was perfect. | {P} played the guitar.
- The grill caught fire. | A storm soaked all the food. | Two guests started a fight.

== daily_life | wellbeing | train | pleasant | peer
ok Most people would be glad about it.
ok It is a stroke of luck.
ok That is good news.
no Most people would be sad or angry about it.
no It is bad luck.
no That is bad news.
? I checked my mail.
+ There was a card from {p}. | I got a refund. | My new passport had come.
- I got a fine. | There was a bill for a thousand dollars. | I was being sued.
? I went to the dentist.
+ She found no cavities. | It took five minutes. | She said my teeth look great.
- She pulled two teeth. | She drilled before I was numb. | She found five cavities.
? I moved into a new flat.
+ It is bright and quiet. | {P} helped me carry it all. | The rent is lower than before.
- The roof leaks on my bed. | There are rats in it. | The man next door screams all night.
? I took the train to work.
+ I got a seat by the window. | It was right on time. | I met {p} on board.
- It broke down in a tunnel. | A man groped me. | I missed my stop and was late.
? I got my hair cut.
+ Everyone told me I look good. | It cost half of what I thought. | I felt like a new person.
- She cut my ear. | My boss laughed at it. | It came out green.
? I talked to my boss.
+ She gave me a raise. | She praised my work. | She let me have Friday off.
- She fired me. | She blamed me for her own error. | She cut my pay.
? I looked for my lost cat.
+ I found her asleep in the shed. | {P} brought her home. | She came when I called.
- I found her dead by the road. | She had been gone for a year. | I slipped and broke my hip.
? I took an exam.
+ I got the best mark in class. | I knew every answer. | I passed at last.
- I failed it. | I fainted half way. | My pen leaked over all the pages.
? I bought a used car.
+ It runs like new. | I got it for a very good price. | It came with winter tires.
- It broke down the next day. | It turned out to be stolen. | The heater stinks.

== travels | wellbeing | train | pleasant | colleague
ok It turns the journey into a delight.
ok Travelers hope for exactly that.
no It turns the journey into a nightmare.
no Travelers dread exactly that.
? I flew to Lisbon for a conference.
+ I was upgraded to business class. | The descent offered a gorgeous panorama.
- The airline misplaced my luggage. | An infant shrieked for nine hours.
? I checked into a chalet.
+ The hostess served cocoa on arrival. | A hot tub stood beneath the stars.
- Bedbugs infested the quilt. | The heating quit at midnight.
? I toured a cathedral with {p}.
+ A choir happened to be rehearsing. | The guide let us climb the belfry.
- A pickpocket robbed {p}. | Scaffolding hid the entire facade.
? I cruised along the fjords.
+ Whales breached beside the ship. | The northern lights appeared.
- Norovirus swept through the decks. | Thick haze erased the scenery.
? I rented a campervan.
+ The clerk threw in insurance gratis. | It had solar power and a cozy bunk.
- The gearbox seized in the desert. | The septic tank overflowed inside.
? I hiked a volcano with {p}.
+ The sunrise glowed crimson above the crater. | A hut offered pancakes at the summit.
- Sulfur fumes made {p} collapse. | I shredded my palms on lava.

== hobbies | wellbeing | train | pleasant | colleague
ok Hobbyists rejoice over that.
ok The pastime becomes more rewarding.
no Hobbyists despair over that.
no The pastime becomes a frustration.
? I entered my dahlias in the flower show.
+ They earned the blue ribbon. | A florist placed a big order.
- Slugs devoured them overnight. | I was disqualified over paperwork.
? I knitted a sweater for {p}.
+ {P} wears it constantly. | It fit flawlessly.
- {P} donated it unworn. | It unraveled at the seams.
? I set up my telescope.
+ Saturn's rings were razor sharp. | A meteor shower began.
- Clouds rolled in immediately. | The tripod toppled and the lens shattered.
? I auditioned for the theater troupe.
+ I landed the lead. | The director gave me an ovation.
- I blanked on every line. | The panel snickered at my accent.
? I restored an antique clock.
+ It chimes beautifully once more. | A museum wants to exhibit it.
- The spring snapped into my cheek. | It turned out a worthless fake.
? I hosted a quiz evening.
+ Contestants begged for a sequel. | It raised plenty for the hospice.
- The projector died and everyone left. | Two contestants came to blows.
"""
