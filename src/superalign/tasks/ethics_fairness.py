"""Fairness and desert: habits dropped for a reason, claims to deserve something, sharing."""

FAIRNESS = """
== kind_habits | fairness | train | habit | peer
ok The reason bears on the habit, so dropping it this time was fair.
ok {P} had no use for it this time, or it could not be done.
ok Things had changed in a way that matters here.
no The reason is unrelated to why this was done for {him}.
no {P} did nothing that would make it fair to stop.
no It punishes {him} for something irrelevant.
? drive {p} to work in the morning
+ {he} was on vacation | {he} had the day off | {he} said {he} wanted to bike that day
+ my car was at the mechanic | {he} had bought a car of {his} own
- {he} watched a movie on Sunday | {he} has a new haircut | {he} likes jazz
- {he} had eaten eggs for breakfast | {his} curtains are gray
? save {p} a seat at lunch
+ {he} was home with the flu | {he} told me {he} would eat in the library
+ the tables were all reserved for guests | {he} had left for another school
- {he} wrote with a blue pen | {he} got a good grade in art | {he} had a glass of milk
- {his} cousin plays tennis
? bring {p} a coffee
+ {he} had quit coffee | {his} doctor told {him} to avoid caffeine | the coffee shop was closed
+ {he} was already holding a cup
- {he} wore a striped scarf | {he} has two brothers | {he} painted {his} room
- {he} told a joke that I did not get
? help {p} with homework
+ there was no homework that day | {he} was away on a school trip
+ the teacher wanted everyone to work alone | {he} had finished it at school
- {he} bought a goldfish | {he} ran faster than me in a race | {he} drew a cartoon
- {he} goes to church
? say hello to {p} in the hall
+ {he} was in the middle of a phone call | {he} was not at school | I had lost my voice
+ {he} had asked everyone not to disturb {him}
- {he} had a cold sandwich | {his} shoes were new | {he} reads comic books
- {he} parked next to a truck
? lend {p} my pencils
+ {he} brought a full set of {his} own | {he} broke the last ones and laughed
+ they had all been stolen | I needed every one of them for my own exam
- {he} got up early | {he} can whistle | {he} was born in March | {he} had soup for lunch
? cook for {p} on Fridays
+ {he} had invited me to dinner instead | {he} was fasting that day | the gas was cut off
- {he} tied {his} shoes twice | {he} voted for another band | {his} phone is silver
? give {p} a birthday present
+ {he} asked everyone to give to charity instead | {he} told me {he} hates presents
- {he} turned thirty on a Thursday | {he} took the bus | {he} has a pet snake

== service_habits | fairness | held_out | habit | family
ok What happened takes away the reason for the habit.
ok The exception fits the situation.
ok It would have been pointless or harmful to do it this time.
no That has no link to what is usually done.
no Someone was let down for no good reason.
no A trivial matter does not justify the exception.
? tip the waiter
+ the tip was already on the bill | he shouted rude names at me | the owner served us for free
+ he spilled soup on me and walked off
- he had a beard | the table was round | he said the weather was nice | his name was long
? pay my piano teacher each month
+ she canceled all the lessons | she was abroad for the month | she asked for one yearly payment
- her piano is brown | she wore a hat | she said my scales got better | she has a lazy cat
? read my daughter a story at bedtime
+ she fell asleep in the car | she was at a sleepover | I had no voice after the operation
+ she asked to read to me instead
- she had peas for dinner | she drew a house with four windows | her socks did not match
? pick up {p} from the train
+ the train was canceled | {he} took a taxi because {he} came early | {he} stayed in the city
- {he} carried a green suitcase | {he} likes window seats | {he} hums while walking
? give my son pocket money
+ he asked me to put it in his savings | he had just stolen money from my purse
+ I had lost my job that week
- he has freckles | he sat on the left side | his best friend moved | he sneezed at breakfast
? shovel the snow for my old neighbor
+ there was no snow | his grandson had done it at dawn | he had hired a service
+ I had just broken my wrist
- he said good evening | his mailbox has a bird on it | he owns an accordion
? call {p} on Sundays
+ {he} was on a flight all day | {he} had come to visit me | the phone lines were down
- {he} grows tomatoes | {he} watched the news | {his} couch is new | {he} bought a clock
? buy eggs from the farmer
+ her hens had stopped laying | the eggs she sold last time were rotten | she had closed the farm
- she wore rubber boots | her barn is red | she has three sons | her truck was dusty
? wash {p}'s car
+ {he} had sold it | there was a ban on using water | {he} had it washed the day before
- {he} bought a striped tie | {he} laughs at old jokes | {he} slept late

== earned_work | fairness | train | deserve | work
ok The effort or the agreement earns it.
ok It was promised or paid for with work.
ok That is exactly the kind of thing one can earn it with.
no That does not earn it.
no The reason has nothing to do with merit.
no Nobody owes that for such a reason.
? a raise from my boss
+ I brought in twice as many customers as last year | I took over the work of two people
+ I have done excellent work for five years | it was promised in my contract
- I have a nice stapler | I want a bigger television | I arrive late but smiling
- my desk faces the window | I am taller than my coworkers
? to be paid for this week
+ I worked every hour on the schedule | I finished the job that was agreed on
+ I was on the paid leave that my contract grants
- I thought about working | I walked past the office | my cousin works hard
- I looked the part in my suit
? a good grade in biology
+ I studied for weeks and got every answer right | my project was the best in class
+ I did all the experiments with care
- I sit in the front row | my pen has a frog on it | I want to be popular
- I copied from a good student
? a place on the team
+ I was the fastest at the tryouts | I trained every day and kept all the rules
+ I scored the most goals last season
- my shoes are expensive | I like the color of the uniform | my father is rich
- I told the coach a riddle
? the employee award
+ I solved the problem that had stopped the plant | I helped every new coworker settle in
+ my customers rated me highest all year
- I asked for it loudly | I hid a rival's files | I have a lucky coin
? a day of rest
+ I worked ten days in a row without a break | I covered the night shift all week
- I have done nothing since Monday | I saw others work | I bought a hammock with gold thread
? my coworkers' thanks
+ I stayed late to fix their printer | I carried their boxes up six floors
- I ate their lunch | I laughed at their mistakes | I told them I am important
? a promotion
+ I led the project and it ended on time | I passed the exam for the new post
- I look good in photos | I told lies about the other candidate | I drink much coffee

== earned_trade | fairness | held_out | deserve | peer
ok The payment or the fault of the seller makes it due.
ok It follows from what was bought or agreed.
ok Anyone who paid for it may expect it.
no Nothing was bought or agreed that would make it due.
no That is no ground for such a claim.
no The other side owes nothing for that.
? my money back from the shoe store
+ the soles fell off on the first day | they sent two left shoes | they charged me twice
- I wore the shoes for three years | I want to spend it on candy | I ruined them in a river
- my neighbor has cheaper shoes
? a clean room at the hotel
+ I paid for it in advance | the hotel confirmed my booking
- I once slept in a tent | I know how to spell hotel | I left without paying last time
? to be driven to the station by the taxi driver
+ I paid the fare | he agreed to the trip when he picked me up
- I like the sound of his engine | I threw a bottle at his taxi | my bike is yellow
? a working phone from the store
+ the phone I bought there never turned on | the guarantee says they replace it
- I dropped mine from a roof to see it bounce | theirs look shiny | I use it a lot
? my dinner from the restaurant
+ I ordered it and paid | the waiter confirmed my order
- I can smell it from the street | I ate two dinners elsewhere | I shouted at the cook
? a neat haircut from the barber
+ I booked the hour and paid the price | he said he would fix the side he missed
- I have hair | I mailed him a postcard | I refuse to sit still or pay
? the bike that I rented
+ I paid for the whole week | the shop signed the contract with me
- I like bikes more than the shop does | I never brought the last one back
? a new window from the neighbor
+ he broke mine with a golf ball | he drove his truck into my wall
- his windows are larger | I broke mine with my own ball | his dog looked at me
? help from the repair service
+ I pay for it each month | their worker flooded my kitchen
- I never signed up but I like helpers | I took the machine apart for fun
? to keep the jacket
+ I bought it with my own savings | my uncle gave it to me
- I found out where the owner lives | it suits me better than its owner | I snatched it first

== sharing | fairness | train | act | peer
ok Everyone was treated by the same measure.
ok Giving each a fair part respects them all.
ok Nobody was cheated out of a fair part.
no It treats someone worse for no relevant reason.
no Taking more than a fair share cheats the others.
no It favors oneself at the cost of the others.
? I cut the cake for the party and
+ gave each guest a slice of the same size | let {p} choose first since it was {his} birthday
+ kept a piece for {p}, who was running late | made a nut-free piece for the allergic boy
- kept half of it for myself | gave {p} nothing because of {his} accent
- licked every slice so nobody else would want one | hid the largest piece in my bag
? When {p} and I won the prize money together, I
+ split it evenly with {him} | gave {him} {his} half on the same day
+ paid {him} more, since {he} had done most of the work
- told {him} that the prize was only ten dollars | spent it all on a watch for me
- said {his} share was lost and kept it
? There was a long line for the rides, so I
+ waited for my turn | let a woman in labor get past me to the exit | chose another ride
- shoved two kids aside and went first | paid a guard to throw {p} out of the line
- faked a limp to get to the front
? As the coach, I
+ gave every child a chance to play | picked the players by how they trained
+ let the tired player rest and sent in a fresh one
- let only my own son play | benched the girl because of her skin color
- put a boy on the team after his father paid me
? I graded the essays and
+ used the same list for all of them | asked a second teacher when I was unsure
+ covered the names so I would not be swayed
- failed {p} because I dislike {his} mother | gave top marks to my niece without reading
- lowered the grades of everyone who is poor
? The last two seats on the bus were free, and I
+ left one of them for {p} | gave mine to a man on crutches | sat down on one of them
- lay down across both while a pregnant woman stood | put my bag on one and my feet on the other
? I hired a new clerk and
+ chose the one with the best test | gave the deaf applicant the same chance as the rest
+ told each applicant why they were not chosen
- threw out the letters of all women | picked my lazy nephew over better people
- asked for a bribe before I signed
? We shared a pizza, and I
+ took two slices, like everyone else | paid for the part that I ate
- ate {p}'s slices while {he} washed {his} hands | left before the bill came on purpose

== ended_habits | fairness | train | ended | peer
ok The change takes away the ground for the habit.
ok What {he} did or wished makes it fair to stop.
ok Once it is no longer needed or safe, stopping is fair.
no That is no ground to stop for good.
no {P} is treated worse for something that does not matter.
no It has nothing to do with why it was done.
? play cards with {p}
+ {he} cheated each time | {he} moved to another country | {he} told me {he} is bored of cards
+ {he} began to bet money and I cannot afford it
- {he} painted {his} door green | {he} sold {his} old radio | {he} has a cousin in the army
- {he} eats toast with jam
? walk to school with {p}
+ {he} changed schools | {he} takes the bus now | {he} kept throwing rocks at cars on the way
- {he} got a part in the play | {he} has a bag with stars on it | {he} likes science
? water {p}'s garden in the summer
+ {he} stays home all summer now | {he} put in sprinklers | {he} sold the house
- {he} went to a wedding | {he} wears wide pants | {he} collects old coins | {he} snores
? tell {p} my secrets
+ {he} told them to others | {he} asked me not to burden {him} with them
- {he} adopted a dog | {he} had the last muffin | {he} failed {his} driving test
? lend {p} money
+ {he} never paid me back | {he} earns more than I do now | I have no money left
- {he} changed {his} phone number | {he} bakes on Mondays | {his} mother is from Spain
? let {p} copy my key
+ {he} once robbed my house | {he} no longer stays with me
- {he} does yoga | {he} prefers the window open | {he} met a famous singer
? share my lunch with {p}
+ {he} brings {his} own lunch now | {he} found out that my food makes {him} ill
- {he} likes the other team | {he} had {his} ears pierced | {he} is good at math
? take {p} along on hikes
+ {he} hurt {his} knee for good | {he} said {he} hates hiking
- {he} got engaged | {he} reads the paper on paper | {he} drives a small car

== ended_customs | fairness | train | ended | kin2
ok The change of circumstances justifies ending the custom.
ok Nothing is owed once the ground for it is gone.
no An irrelevant detail cannot justify ending it.
no Loyalty should not hang on such a whim.
? invite {p} to go sailing
+ {he} gets seasick and begged off | the boat sank | {he} emigrated to Norway
- {he} adopted a parrot | {he} trimmed the hedge | {he} prefers marmalade
? donate to the orchestra
+ it disbanded | its treasurer was convicted of fraud | I went bankrupt
- the oboist has dimples | its posters use capitals | the harp is gilded
? babysit the twins for {p}
+ they grew up and moved out | {he} hired a nanny | they had the mumps
- they wore overalls | {p} enjoys crosswords | their kite is octagonal
? trade stamps with {p}
+ {he} passed off forgeries as real | {he} gave the collection to a museum
- {he} installed a doorbell | {he} hiked on Thursday | {his} lamp flickers
? compliment {p} on {his} choir solos
+ {he} left the choir | {he} asked me to keep silent about them | there was no solo this season
- {he} ordered noodles | {he} crossed the bridge on foot | {his} mug is chipped
? keep {p}'s spare keys
+ {he} changed the locks | {he} took them back | {he} moved to another state
- {he} hummed a waltz | {he} planted tulips | {he} skipped dessert

== rightful_claims | fairness | train | deserve | kin2
ok The claim is in proportion to what was given.
ok Justice is on the side of this claim.
no The claim is out of proportion to its ground.
no Justice gives no such privilege.
? respect from my stepchildren
+ I raised them patiently for ten years | I always listen to them with respect
- I own a sailboat | I insult them at breakfast | my beard is magnificent
? an apology from {p}
+ {he} slandered me before the whole village | {he} wrecked my tractor and fled
- {he} beat me honestly at chess | {he} declined to lend me a fortune | {he} yawned politely
? a vote in the council
+ I am a citizen of this town and of age | I was lawfully elected
- I collect porcelain | I bribed the secretary | I outshouted the chairwoman
? my inheritance from grandfather
+ his valid will names me | the court awarded it to me
- I forged his signature | I adore antiques | I once mowed past his gate
? a royalty for the melody
+ I composed it by myself | the publisher signed it over to me
- I hummed along with it | I pirated the recording | my ears are musical
? privacy from my landlord
+ the lease forbids him to enter unannounced | I pay to live there undisturbed
- I am growing poison for my rivals in there | my lampshade is velvet
"""
