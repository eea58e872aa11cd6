# ruff: noqa: E501  (one instruction a line reads best)
"""Ordinary instructions of many kinds: pure data, written for superalign.

One instruction a line; ``{name}`` is filled from ``FILLERS[name]`` and `` // `` is a line break
between an instruction and the text that it works on.
"""

from __future__ import annotations

from superalign.records import Split


def as_lines(text: str) -> tuple[str, ...]:
    """The lines of ``text`` that are not empty; `` // `` becomes a line break."""
    return tuple(filter(None, (line.strip().replace(" // ", "\n") for line in text.splitlines())))


def as_list(text: str) -> tuple[str, ...]:
    """What stands between the semicolons of ``text``."""
    return tuple(" ".join(item.split()) for item in text.split(";"))


FILLERS: dict[str, tuple[str, ...]] = {
    "animal": as_list(
        """an octopus; a hedgehog; a barn owl; a camel; a sea turtle; a penguin; a honeybee; a fox;
        a dolphin; an elephant; a gecko; a sheepdog; a snail; a giraffe; a crow; a salmon"""
    ),
    "city": as_list(
        """Lisbon; Nairobi; Kyoto; Montreal; Cairo; Prague; Buenos Aires; Singapore; Oslo; Istanbul;
        Melbourne; Chicago; Hanoi; Marrakesh; Edinburgh; Mexico City"""
    ),
    "country": as_list(
        """Portugal; Kenya; Japan; Canada; Egypt; Peru; Norway; Vietnam; Morocco; New Zealand; Greece;
        Brazil; India; Poland; Iceland; South Korea"""
    ),
    "concept": as_list(
        """photosynthesis; inflation; gravity; supply and demand; machine learning; plate tectonics;
        the water cycle; opportunity cost; natural selection; blockchain; magnetism; compound interest;
        the greenhouse effect; encryption; osmosis; neural networks; time zones; cloud computing;
        the nitrogen cycle; herd immunity; tides; recursion; game theory; the placebo effect"""
    ),
    "topic": as_list(
        """remote work; recycling; public libraries; electric cars; social media; space travel;
        healthy eating; online learning; city parks; music education; renewable energy; pets; sleep;
        volunteering; video games; museums; mobile phones; gardening; sports; artificial intelligence;
        public transport; reading for pleasure; the four-day week; fashion; climate change; coffee"""
    ),
    "thing": as_list(
        """a thunderstorm; an old lighthouse; a train at night; a bakery at dawn; the first snow; a violin;
        a forgotten letter; a mountain lake; a crowded market; a paper boat; autumn leaves; a lost key;
        a desert sky; a grandfather clock; a rainy window; a garden gate"""
    ),
    "feeling": as_list(
        """joy; loneliness; hope; jealousy; gratitude; surprise; boredom; courage; homesickness; pride;
        relief; curiosity; nervousness; contentment"""
    ),
    "hero": as_list(
        """a shy robot; a retired sailor; a young baker; two rival chess players; a dragon who fears fire;
        a talking bicycle; a librarian with a secret; a lost astronaut; a street musician; a curious fox;
        a forgetful wizard; a lighthouse keeper; a time-travelling chef; a detective who hates crime scenes"""
    ),
    "job": as_list(
        """a nurse; a software engineer; a chef; a graphic designer; an accountant; a teacher; a plumber;
        a journalist; a data analyst; a shop manager; an architect; a truck driver; a project manager;
        a dentist; a customer service agent; a sales representative"""
    ),
    "skill": as_list(
        """public speaking; playing the guitar; time management; drawing; chess; swimming; cooking;
        speed reading; photography; active listening; knitting; negotiation; a new language; typing;
        budgeting; juggling; giving feedback; teamwork"""
    ),
    "food": as_list(
        """lentil soup; banana bread; vegetable curry; a mushroom omelette; pancakes; tomato pasta; hummus;
        apple pie; fried rice; tacos; a Greek salad; pizza dough; chicken soup; guacamole; oatmeal cookies"""
    ),
    "ingredient": as_list(
        """chickpeas; spinach; leftover rice; eggs; sweet potatoes; mushrooms; tofu; oats; tomatoes; salmon;
        zucchini; black beans; apples; yogurt"""
    ),
    "event": as_list(
        """the fall of the Berlin Wall; the French Revolution; the invention of the printing press;
        the first moon landing; the Industrial Revolution; the Black Death; the Great Depression;
        the signing of Magna Carta; the opening of the Suez Canal; the American Civil War; the Renaissance;
        the fall of Constantinople; the end of apartheid; the Silk Road; the Cold War; the Meiji Restoration"""
    ),
    "figure": as_list(
        """Marie Curie; Nelson Mandela; Leonardo da Vinci; Ada Lovelace; Mahatma Gandhi; Frida Kahlo;
        Albert Einstein; Cleopatra; Rosa Parks; Galileo Galilei; Jane Austen; Abraham Lincoln; Mozart;
        Florence Nightingale; Isaac Newton; Confucius"""
    ),
    "business": as_list(
        """a bicycle repair shop; a bookstore; a bakery; a yoga studio; a dog-walking service; a coffee truck;
        a language school; a flower shop; a mobile game studio; a travel agency; an organic farm;
        a cleaning company; a toy store; a vegan restaurant"""
    ),
    "product": as_list(
        """a reusable water bottle; noise-cancelling headphones; a standing desk; a solar lamp; a smart watch;
        a folding bike; running shoes; a coffee grinder; a board game; a backpack; an e-reader; a tent;
        scented candles; a robot vacuum"""
    ),
    "word": as_list(
        """serendipity; resilient; ephemeral; candid; meticulous; nostalgia; pragmatic; ambiguous; empathy;
        frugal; tenacious; paradox; benevolent; mundane; eloquent; skeptical; vivid; diligent"""
    ),
    "idiom": as_list(
        """break the ice; once in a blue moon; a blessing in disguise; hit the nail on the head;
        bite the bullet; spill the beans; under the weather; a piece of cake; kill two birds with one stone;
        let the cat out of the bag; cost an arm and a leg; burn the midnight oil"""
    ),
    "pair": as_list(
        """cats and dogs; tea and coffee; renting and buying a home; solar and wind power; Python and Java;
        novels and short stories; living in a city and living in the country; viruses and bacteria;
        planes and trains; a leader and a manager; stocks and bonds; weather and climate; crocodiles and
        alligators; email and letters; classical and jazz music; debit and credit cards"""
    ),
    "sentence": as_list(
        """The meeting was moved to Friday because the manager is travelling.; She opened the window and
        listened to the rain.; Our new printer is fast, quiet and easy to use.; The twins built a castle
        out of old boxes.; I forgot my umbrella, so I waited in the cafe.; He has worked at the harbour for
        twenty years.; The report was late because the data were missing.; Many birds fly south before the
        first frost.; We would like to invite you to our summer party.; The soup tastes better on the second
        day.; My brother plays the piano every evening.; The team finished the bridge ahead of schedule.;
        Despite the heat, the runners kept a steady pace.; The old map led them to a quiet bay.; You can pay
        by card or in cash.; The concert was cancelled after the storm."""
    ),
    "wrong": as_list(
        """She don't like to swim in the sea.; Me and him was late for the train.; Their going to they're
        house after lunch.; I have went to the market yesterday.; The dogs is barking since two hour.;
        He speak English very good.; There is many reason for this decision.; If I would have time, I will
        come.; We was surprised by the results what we got.; The informations you sent was usefull.;
        Its a shame that the museum are closed.; I didn't saw nobody at the office.; The childrens plays in
        the garden.; This is the more interesting book I ever read.; She go to work by the bus every days.;
        Who's umbrella is these?"""
    ),
    "review": as_list(
        """The food was cold and the waiter ignored us.; I love this lamp, it makes the room so cosy!;
        The hotel was fine, nothing special.; Best concert I have been to in years.; The zip broke after one
        week and nobody answers my emails.; A charming film with a slow start.; Delivery was quick and the
        jacket fits perfectly.; I wanted to like this book but could not finish it.; The staff went out of
        their way to help us.; Battery life is terrible.; It does what it says, no more and no less.;
        My grandmother smiles every time she uses it."""
    ),
    "passage": as_list(
        """The town of Redvale closed its last coal mine ten years ago. Since then, small workshops and a
        solar park have created almost as many jobs as were lost, though many of them pay less.; Bees visit
        thousands of flowers a day. While they collect nectar, pollen sticks to their hair and is carried to
        the next flower, which allows plants to form fruit and seeds.; The library now lends tools as well as
        books. Members can borrow drills, ladders and sewing machines for a week, and free courses show how
        to use them safely.; Working from home saves commuting time and fuel, but some employees miss the
        contact with their colleagues. Many firms therefore ask for two or three days a week in the office.;
        Glaciers form where more snow falls in winter than melts in summer. Under its own weight the snow
        turns to ice and slowly flows downhill, carving wide valleys.; Anna opened her bakery with a single
        oven. Five years later she employs nine people, sells to three hotels and teaches a bread class every
        Saturday.; Sleep helps the brain to store what it has learned during the day. People who sleep too
        little remember less and make more mistakes, even if they do not feel tired.; The new tram line links
        the harbour with the university. It carries twelve thousand passengers a day and has taken many cars
        off the ring road.; Olive trees can live for more than a thousand years. They need little water, bear
        fruit even on poor soil and shape the landscape of the whole region.; The committee tested four
        kinds of paper cups. Two leaked within an hour, one was too expensive, and the last will be used at
        the summer festival."""
    ),
    "phrase": as_list(
        """Good morning, how are you?; Where is the nearest train station?; Thank you for your help.; I would
        like a cup of tea, please.; What time does the museum open?; The weather is beautiful today.; My name
        is Clara and I live in a small town.; Could you repeat that more slowly?; Happy birthday, my dear
        friend.; We missed the last bus.; How much does this cost?; See you tomorrow at the cinema."""
    ),
    "language": as_list(
        "Spanish; French; German; Italian; Portuguese; Japanese; Swahili; Dutch; Polish; Turkish"
    ),
    "code": as_list(
        """reverses a string; checks whether a number is prime; counts the vowels in a sentence; sorts a list
        of names; finds the largest number in a list; converts Celsius to Fahrenheit; removes duplicates from
        a list; reads a CSV file and prints the first row; computes the factorial of a number; checks whether
        a word is a palindrome; merges two sorted lists; prints the multiplication table; counts words in a
        text file; finds the average of three numbers; generates a random password; rolls two dice"""
    ),
    "codelang": as_list("Python; JavaScript; Java; C++; Ruby; Go; TypeScript; Rust"),
    "words": as_list(
        """apple, river, clock; moon, bread, promise; cat, satellite, umbrella; island, violin, letter;
        storm, candle, sister; train, mirror, orange; garden, key, whisper; wolf, bicycle, lemon; snow, radio,
        ticket; castle, button, tea"""
    ),
    "number": as_list("three; four; five; six; seven; ten; two; eight"),
    "items": as_list(
        """carrot, hammer, banana, screwdriver; eagle, trout, sparrow, shark; violin, drum, flute, tambourine;
        gold, oxygen, iron, helium; rose, oak, tulip, pine; France, Nile, Brazil, Amazon; sofa, spoon, table,
        fork; rain, joy, snow, anger; Mars, Paris, Venus, Rome; ant, horse, beetle, cow"""
    ),
    "holiday": as_list(
        """a birthday; a wedding; a retirement; a housewarming; a graduation; New Year's Eve; a farewell;
        an anniversary; a reunion; Mother's Day"""
    ),
    "goal": as_list(
        """save more money; wake up earlier; drink more water; read more books; spend less time on the phone;
        run a first marathon; eat less sugar; keep a tidy desk; make new friends; sleep better; learn to say
        no; waste less food"""
    ),
}

KINDS: dict[str, tuple[Split, tuple[str, ...]]] = {
    "explain": (
        "train",
        as_lines(
            """
            Explain {concept} in simple terms.
            Explain {concept} to someone who has never heard of it.
            How does {concept} work?
            What is {concept} and why does it matter?
            Describe {concept} in two sentences.
            Give a short explanation of {concept} with an everyday example.
            Why is {concept} important?
            Explain how a refrigerator keeps food cold.
            Explain why the sky looks blue.
            How do noise-cancelling headphones work?
            Describe the process of making paper.
            Explain the purpose of a business plan.
            Use an analogy to explain {concept}.
            What are common misunderstandings about {concept}?
            Describe how an airplane stays in the air.
            Explain the difference between a fact and an opinion.
            Can you explain how a bill becomes a law?
            Explain why leaves change color in autumn.
            """
        ),
    ),
    "lists": (
        "train",
        as_lines(
            """
            List {number} benefits of {topic}.
            Name {number} things that people often forget when they talk about {topic}.
            Give me {number} facts about {country}.
            List {number} books about {topic} that a beginner could read.
            Make a list of {number} questions to ask {job}.
            Name {number} foods that contain a lot of fiber.
            List {number} ways to {goal}.
            What are {number} advantages and disadvantages of {topic}?
            Provide {number} examples of renewable resources.
            List the planets of the solar system in order.
            Name {number} animals that are active at night.
            Write down {number} rules for a shared kitchen.
            Give {number} reasons to learn {skill}.
            List the ingredients of {food}.
            Name {number} inventions that changed daily life.
            List {number} materials that conduct electricity.
            Come up with a packing list for a weekend in {city}.
            """
        ),
    ),
    "rewriting": (
        "held_out",
        as_lines(
            """
            Rewrite the following sentence in the passive voice. // {sentence}
            Rewrite this sentence so that it sounds more formal: {sentence}
            Make this sentence shorter: {sentence}
            Change the sentence to the past tense. // {sentence}
            Paraphrase the following sentence. // {sentence}
            Turn this sentence into a question: {sentence}
            Rewrite this for a young reader. // {passage}
            Replace the adjectives in this sentence with stronger ones: {sentence}
            Rewrite the text in the first person. // {passage}
            Add more detail to this sentence: {sentence}
            Make this paragraph sound more cheerful. // {passage}
            Write the opposite of this sentence. "{sentence}"
            Rearrange the sentence and keep its meaning: {sentence}
            Say the same thing in plain English: "Pursuant to our discussion, kindly revert at your earliest convenience."
            Rewrite the sentence as a newspaper headline. // {sentence}
            Combine these two sentences into one. // {sentence} It was a long day.
            """
        ),
    ),
    "summaries": (
        "train",
        as_lines(
            """
            Summarize the following text in one sentence. // {passage}
            What is the main idea of this paragraph? // {passage}
            Give a title to this text. // {passage}
            Shorten the passage to twenty words. // {passage}
            List the key points of the text below. // {passage}
            Write a tweet that sums up this story: {passage}
            Read the paragraph and answer: what changed? // {passage}
            Extract three keywords from this text. // {passage}
            Summarize the plot of a famous fairy tale.
            Sum up the main arguments for and against {topic}.
            Write a brief summary of the life of {figure}.
            Give me a two-line summary of what {job} does.
            What would be a good headline for this text? // {passage}
            Condense this into bullet points: {passage}
            Summarize how {concept} works in under fifty words.
            Write an abstract for an essay on {topic}.
            """
        ),
    ),
    "poems": (
        "held_out",
        as_lines(
            """
            Write a haiku about {thing}.
            Write a four-line poem about {feeling}.
            Compose a short poem that describes {thing}.
            Write a limerick about {animal}.
            Create a rhyming couplet about {topic}.
            Write a poem in which {animal} talks to the moon.
            Give me a free verse poem on {feeling} and {thing}.
            Write an acrostic poem with the word {word}.
            Write a funny poem about {food}.
            Compose an ode to {thing}.
            Write a poem for {holiday}.
            Create a lullaby about {animal}.
            Write a poem that ends with the line "and the lights came on again".
            Come up with a metaphor for {feeling}.
            Describe {thing} using all five senses.
            Write a simile that compares {feeling} to {thing}.
            """
        ),
    ),
    "stories": (
        "train",
        as_lines(
            """
            Write a short story about {hero}.
            Write the opening paragraph of a novel about {hero}.
            Tell a story that contains the words {words}.
            Write a story in which {hero} finds {thing}.
            Create a fable with {animal} and {animal}.
            Write a surprising ending for a story about {hero}.
            Make up a bedtime story about {animal} who cannot sleep.
            Write a three-sentence mystery set in {city}.
            Invent a character who works as {job} and describe her morning.
            Continue this story: The clock struck nine, and nobody had come to the party.
            Write a short dialogue between {hero} and {hero}.
            Describe a fantasy world where {feeling} can be bought in bottles.
            Outline a science fiction story about {topic}.
            Write a plot twist for a play about {hero}.
            Tell me a story about friendship that takes place in {country}.
            Generate a story title using the words {words}.
            """
        ),
    ),
    "emails and letters": (
        "train",
        as_lines(
            """
            Write an email to my boss asking for a day off.
            Draft a thank-you note to {job}.
            Write a polite email to a customer whose order of {product} is late.
            Compose a letter of recommendation for a student who is good at {skill}.
            Write an invitation to {holiday}.
            Draft an email to invite colleagues to a workshop on {skill}.
            Write a letter to a friend who moved to {city}.
            Create a short apology email for missing a meeting.
            Write a cover letter for a position as {job}.
            Draft a message to my landlord about a broken heater.
            Write an out-of-office reply for next week.
            Compose a letter to the city council about {topic}.
            Write a follow-up email after a job interview with {business}.
            Write a congratulation card for {holiday}.
            Draft an email asking a professor for feedback on an essay about {topic}.
            Write a complaint to a shop about {product} that arrived damaged.
            """
        ),
    ),
    "classification": (
        "held_out",
        as_lines(
            """
            Is this review positive or negative? // {review}
            Classify the sentiment of the following text. // {review}
            Sort these words into two groups: {items}
            Which of these does not belong with the others: {items}, bicycle?
            Classify this sentence as a statement, a question or a command: {sentence}
            Identify the tone of this sentence. // {review}
            Is {animal} a mammal, a bird, a fish or something else?
            Decide whether {word} is a noun, a verb or an adjective.
            Assign the following items to categories. // {items}
            Rate this review from one to five stars. // {review}
            Find the verb in this sentence: {sentence}
            Tell me whether this is fact or opinion: {review}
            Identify the subject of this sentence. // {sentence}
            Which genre does a story about {hero} belong to?
            Label each word as positive, negative or neutral: {word}, {feeling}, {feeling}
            Is this sentence written in the active or the passive voice? "{sentence}"
            """
        ),
    ),
    "translation": (
        "held_out",
        as_lines(
            """
            Translate the following sentence into {language}. // {phrase}
            How do you say "{phrase}" in {language}?
            Translate "{phrase}" to {language}.
            What is the {language} word for "bridge"?
            Give the {language} translation of this sentence: {phrase}
            Translate these words into {language}: {words}
            Teach me how to introduce myself in {language}.
            Write the numbers from one to five in {language}.
            Convert this sentence from British to American spelling: The colour of the theatre is grey.
            What are some useful {language} phrases for a trip?
            Explain how to pronounce "thank you" in {language}.
            Translate this text for a {language} speaker. // {passage}
            Which words has English borrowed from {language}?
            Put "{phrase}" into informal {language}.
            How would a tourist ask for the bill in {language}?
            Name a proverb in {language} and explain it.
            """
        ),
    ),
    "grammar": (
        "train",
        as_lines(
            """
            Correct the grammar of this sentence. // {wrong}
            Find the mistakes in the following sentence: {wrong}
            Fix the errors: "{wrong}"
            Proofread this and explain the corrections. // {wrong}
            Edit the sentence so that it is correct: {wrong}
            Add the missing commas: {sentence}
            Is this sentence grammatically correct? "{wrong}"
            Choose the right word: The noise did not (affect/effect) her sleep.
            Explain when to use the pronouns "who" and "whom".
            Make the subject and the verb agree. // {wrong}
            What is the plural of "crisis"?
            Convert the sentence to the future tense: {sentence}
            Give the past participle of "swim" and use it in a sentence.
            What part of speech is "{word}"?
            Punctuate this text: after lunch we went home it was raining
            Use the word "{word}" in a sentence.
            """
        ),
    ),
    "coding": (
        "train",
        as_lines(
            """
            Write a {codelang} function that {code}.
            Write a {codelang} program that {code}.
            Show me how to write code that {code}.
            Create a short {codelang} script that {code} and add comments.
            Explain, line by line, a {codelang} function that {code}.
            Write a unit test for a function that {code}.
            What does a for loop do in {codelang}?
            Write an SQL query that returns all customers from {city}.
            Fix this code: for i in range(5) print(i)
            Write HTML for a page about {business}.
            What is the time complexity of binary search?
            Suggest a better name for a function that {code}.
            Write a regular expression that matches an email address.
            Explain the difference between a list and a tuple in Python.
            How do I kill a frozen program on my laptop?
            Design a class to represent {product}.
            Write pseudocode for a program that {code}.
            """
        ),
    ),
    "recipes": (
        "train",
        as_lines(
            """
            Give me a recipe for {food}.
            How do I make {food}?
            Suggest a dinner that uses {ingredient}.
            What can I cook with {ingredient} and {ingredient}?
            Create a vegetarian version of {food}.
            Plan a menu for {holiday}.
            How long should I cook {ingredient}?
            What spices go well with {ingredient}?
            Make a shopping list for {food}.
            Suggest a healthy snack with {ingredient}.
            What can I use instead of butter in {food}?
            Give me tips for slicing an onion without tears.
            Write a menu description for {food}.
            How should I store {ingredient} so that it stays fresh?
            Plan a week of cheap lunches with {ingredient}.
            Invent a sandwich with {ingredient} and give it a name.
            """
        ),
    ),
    "travel": (
        "train",
        as_lines(
            """
            Plan a three-day trip to {city}.
            What should I see in {city}?
            When is the best time of year to visit {country}?
            Suggest {number} things to do in {city} when it rains.
            What should I pack for a week in {country}?
            Write a travel blog post about {city}.
            How do I get around {city} without a car?
            Recommend typical dishes to try in {country}.
            Make a budget for a weekend in {city}.
            What customs should a visitor to {country} know?
            Which is better for a family holiday, {city} or {city}?
            Describe a walk through the old town of {city}.
            Write a postcard from {city}.
            Give tips for a long flight to {country}.
            How can I travel to {country} in an environmentally friendly way?
            Suggest a road trip through {country}.
            """
        ),
    ),
    "comparison": (
        "train",
        as_lines(
            """
            Compare {pair}.
            What are the differences between {pair}?
            Contrast {pair} in a short paragraph.
            What do {pair} have in common?
            Make a table that compares {pair}.
            Which is older, the violin or the piano?
            Compare the climate of {country} with that of {country}.
            Compare life in {city} with life in {city}.
            Compare the work of {job} with that of {job}.
            Give two similarities and two differences between {pair}.
            Is {city} bigger than {city}?
            Explain to a friend how to choose between {pair}.
            Compare learning {skill} alone with learning it in a group.
            What are the pros and cons of {pair}?
            How is {animal} different from {animal}?
            Write a Venn diagram in text form for {pair}.
            """
        ),
    ),
    "brainstorming": (
        "held_out",
        as_lines(
            """
            Come up with a name for {business}.
            Suggest a slogan for {business}.
            Brainstorm {number} ideas for a blog about {topic}.
            Think of {number} gifts for {holiday}.
            Generate ideas for a school project on {concept}.
            Suggest a theme for {holiday}.
            Propose a new feature for {product}.
            Invent a game that can be played with a ball and a rope.
            Give me {number} conversation starters about {topic}.
            Think of an unusual use for a paper clip.
            Suggest {number} titles for a film about {hero}.
            Come up with a hashtag for {business}.
            Brainstorm ways to get more people interested in {topic}.
            Suggest a team activity that improves {skill}.
            Create a mascot for {business}.
            What would be a fun costume based on {animal}?
            """
        ),
    ),
    "words and sayings": (
        "train",
        as_lines(
            """
            Define the word "{word}".
            What does "{idiom}" mean?
            Give a synonym and an antonym for "{word}".
            Use the idiom "{idiom}" in a sentence.
            What is the origin of the phrase "{idiom}"?
            Find a word that rhymes with "light" and one that rhymes with "{word}".
            Explain the meaning of {word} with an example.
            Give {number} words that are related to {feeling}.
            What is another way to say "{idiom}"?
            List {number} adjectives that describe {thing}.
            Make an anagram of the word "listen".
            What is the difference between {feeling} and {feeling}?
            Write a dictionary entry for an invented word.
            Describe {feeling} without using the word itself.
            Which prefix turns "possible" into its opposite?
            Tell me a tongue twister and explain why it is hard to say.
            """
        ),
    ),
    "science": (
        "held_out",
        as_lines(
            """
            What is the role of chlorophyll in plants?
            Why do we have seasons?
            How does {animal} survive in its habitat?
            Describe the life cycle of a butterfly.
            What is the chemical formula of table salt?
            How do vaccines protect us from disease?
            What are the states of matter?
            Explain {concept} to a biology class.
            Design a simple experiment that shows {concept}.
            What does {animal} eat?
            How far is the moon from the earth?
            What causes an earthquake?
            Write a quiz question about {concept}.
            Why do metals expand when they are heated?
            How does the heart pump blood through the body?
            What role does {animal} play in nature?
            Name the parts of a cell and what they do.
            """
        ),
    ),
    "career advice": (
        "train",
        as_lines(
            """
            How do I become {job}?
            What skills does {job} need?
            Write a job advertisement for {job}.
            Give advice to someone who wants to switch careers and become {job}.
            Describe a typical day of {job}.
            What should I wear to an interview at {business}?
            How can I improve my {skill} at work?
            Write a short biography for {job} with ten years of experience.
            Suggest a goal for the next year for {job}.
            How do I ask for a raise?
            What should a resume of {job} include?
            How do I handle a disagreement with a colleague?
            Write {number} lines about yourself as if you were {job}.
            What are the best ways to prepare for a presentation on {topic}?
            Give tips for the first week in a new job as {job}.
            How can a team leader motivate people who work from home?
            """
        ),
    ),
    "habits and wellbeing": (
        "held_out",
        as_lines(
            """
            How can I {goal}?
            Make a weekly plan for someone who wants to {goal}.
            Give me three tips to {goal}.
            Suggest a short morning exercise routine.
            What are signs that I need more sleep?
            Write a pep talk for someone who is trying to {goal}.
            How do I stay motivated to {goal}?
            What helps against stress before an exam?
            Suggest an app idea for people who want to {goal}.
            Why is it hard to {goal}?
            Describe a good stretch for a stiff neck.
            Create a checklist to {goal}.
            How much water should an adult drink per day?
            What are some hobbies that reduce stress?
            Write a diary entry of someone who managed to {goal}.
            How can I beat my own record in running?
            """
        ),
    ),
    "arguments and essays": (
        "train",
        as_lines(
            """
            Write a paragraph about the importance of {topic}.
            Write an argument in favor of {topic}.
            What are the arguments against {topic}?
            Write an introduction for an essay on {topic}.
            Write a thesis statement about {topic}.
            Discuss how {topic} has changed in the last twenty years.
            Create an outline for a presentation on {topic}.
            Write a letter to the editor about {topic}.
            How might {topic} look in fifty years?
            Give a balanced view of {topic}.
            Write a conclusion for an article on {topic}.
            What is the effect of {topic} on cities?
            Formulate a research question on {topic}.
            Write a debate speech for the motion "We need more {topic}".
            Explain why some people dislike {topic}.
            Prepare {number} survey questions about {topic}.
            """
        ),
    ),
    "history": (
        "train",
        as_lines(
            """
            When did {event} take place?
            What caused {event}?
            Describe the consequences of {event}.
            Who was {figure}?
            What is {figure} best known for?
            Write a short biography of {figure}.
            Make a timeline of {event}.
            Explain the importance of {event} for today.
            How did people live in {country} a hundred years ago?
            What would {figure} say about {topic}?
            Write a diary entry of someone who saw {event}.
            Name {number} important people of {event}.
            What battle ended the reign of Napoleon?
            Describe how people were killed by the plague in the Middle Ages.
            Which inventions came out of ancient China?
            Imagine a conversation between {figure} and {figure}.
            """
        ),
    ),
    "geography": (
        "train",
        as_lines(
            """
            What is the capital of {country}?
            Which countries border {country}?
            Name the longest river in {country}.
            Describe the landscape of {country}.
            On which continent is {country}?
            What language is spoken in {country}?
            How many people live in {city}?
            What is {city} famous for?
            Describe the climate of {city}.
            What time zone is {city} in?
            Name {number} cities in {country}.
            What is the currency of {country}?
            Write a riddle whose answer is {city}.
            Which of these is further north: {city} or {city}?
            What does the flag of {country} look like?
            Why do deserts get cold at night?
            """
        ),
    ),
    "marketing": (
        "train",
        as_lines(
            """
            Write a product description for {product}.
            Write an advertisement for {business}.
            Create a social media post that promotes {product}.
            Describe the target group of {business}.
            Write a catchy headline for {product}.
            How can {business} attract more customers?
            Write a radio spot for {business}.
            Suggest a price strategy for {product}.
            Write a review of {product}.
            List the selling points of {product}.
            Design a loyalty program for {business}.
            Write a short company history for {business}.
            Create a FAQ page for {business}.
            Write a newsletter for {business}.
            What should {business} post on its website?
            Do a SWOT analysis for {business}.
            """
        ),
    ),
    "arithmetic and puzzles": (
        "train",
        as_lines(
            """
            If a ticket costs {number} dollars, how much do twelve tickets cost?
            What is the next number in the series 2, 4, 8, 16?
            Convert {number} miles to kilometers.
            Calculate the area of a rectangle with sides {number} and nine.
            A train leaves {city} at noon and travels for {number} hours. When does it arrive?
            Solve the equation 3x + {number} = 40.
            Write a word problem about {food}.
            Tell me a riddle about {thing}.
            How many minutes are there in {number} hours?
            Explain how to compute a percentage.
            Round 3.14159 to two decimals.
            Divide a pizza fairly among {number} people.
            What is the average of 4, 8 and {number}?
            Make up a logic puzzle with {hero} and {hero}.
            What are the odds of rolling a six twice?
            Write a math question for a class that is learning about {concept}.
            """
        ),
    ),
    "interviews and dialogue": (
        "train",
        as_lines(
            """
            Write an interview with {job}.
            Create {number} interview questions for {job}.
            Write a conversation between a customer and {job}.
            Role-play: you are {job} and I ask you about {topic}.
            Write a dialogue in a restaurant in {city}.
            Answer this interview question: What is your greatest strength?
            Write a phone call in which someone orders {product}.
            Suggest a polite way to interrupt somebody.
            Write small talk for two people who wait for a bus in {city}.
            How would {figure} introduce himself or herself at a party?
            Write a toast for {holiday}.
            Write a short speech to open an exhibition about {topic}.
            What is a good answer to "Why should we hire you as {job}?"
            Write a scene in which {hero} orders {food}.
            Give an example of an open question about {topic}.
            Pretend you are {animal} and describe your day.
            """
        ),
    ),
    "data and formats": (
        "train",
        as_lines(
            """
            Put these items in alphabetical order: {items}
            Turn the following text into a table. // {passage}
            Create a JSON object that describes {product}.
            Write a CSV header for a list of customers of {business}.
            Find all the numbers in this text. // {passage}
            Which nouns appear in this sentence? // {sentence}
            Count the words in this sentence: {sentence}
            Convert this list to a numbered list: {items}
            Design a form that {business} could use for feedback.
            Write the date 4 July 1999 in three formats.
            Generate a sample schedule for {job}.
            Create a database table for {business}.
            Write the sentence backwards: {sentence}
            Fill in the blank: The early bird catches the ____.
            Write a glossary with {number} terms about {topic}.
            Make a bar chart out of text for these values: 3, 5, 2, 8.
            """
        ),
    ),
    "arts and entertainment": (
        "train",
        as_lines(
            """
            Write a song about {feeling}.
            Recommend a movie for people who like {topic}.
            Describe a painting of {thing}.
            Tell me a joke about {animal}.
            Write a pun about {food}.
            Write a film review of a comedy about {hero}.
            What makes a good photograph of {thing}?
            Create a playlist for {holiday}.
            Suggest a craft project with paper and string.
            Describe the style of {figure} in one paragraph.
            Which instruments belong to a string quartet?
            Design a poster for a festival about {topic}.
            Write the chorus of a pop song about {city}.
            Write a stand-up routine about {topic}.
            Describe a dance to somebody who cannot see it.
            Invent a superhero with the power of {feeling}.
            """
        ),
    ),
}
