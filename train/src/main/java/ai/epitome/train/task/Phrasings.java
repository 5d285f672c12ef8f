package ai.epitome.train.task;

import java.util.List;

/// The words of requests and of what never changes in answers.
final class Phrasings {
    static final List<String> COPYING =
            List.of("Copy: %s", "Repeat after me: %s", "Say this: %s", "Write this again: %s", "Please copy %s");
    static final List<String> REVERSING = List.of(
            "Reverse: %s",
            "Reverse the word %s.",
            "Write %s backwards.",
            "What is %s backwards?",
            "Please write the word %s backwards.");
    static final List<String> SPELLING = List.of(
            "Spell: %s",
            "Spell the word %s.", "How do you spell %s?", "Please spell %s.", "What are the letters of %s?");
    static final List<String> SPELLING_BACKWARDS =
            List.of("Spell %s backwards.", "Spell the word %s backwards.", "How do you spell %s backwards?");
    static final List<String> COUNTING = List.of(
            "Count the letters of %s.",
            "How many letters are in %s?",
            "How many letters does %s have?",
            "Count letters: %s",
            "How long is the word %s?");
    static final List<String> ADDING =
            List.of("What is %d + %d?", "%d + %d = ?", "How much is %d plus %d?", "Add %d and %d.", "Compute %d + %d.");
    static final List<String> SUBTRACTING = List.of(
            "What is %d - %d?", "%d - %d = ?", "How much is %d minus %d?", "What is %d minus %d?", "Compute %d - %d.");
    static final List<String> COMPARING = List.of(
            "Which word is longer, %s or %s?",
            "Pick the longer word: %s, %s",
            "Which is longer: %s or %s?",
            "Which one has more letters, %s or %s?",
            "Name the longer word of %s and %s.");
    static final List<String> COMPARING_THREE = List.of(
            "Which word is longer, %s, %s or %s?",
            "Pick the longer word: %s, %s, %s",
            "Which is longer: %s, %s or %s?",
            "Which one has more letters, %s, %s or %s?",
            "Name the longer word of %s, %s and %s.");
    static final List<String> OBJECTS = List.of(
            "Write as JSON: %s %s, %s %d",
            "Give me JSON with %s %s and %s %d.",
            "As a JSON object: %s is %s, %s is %d",
            "Make JSON of %s %s and %s %d.");
    static final List<String> ASKING =
            List.of("How do I %s?", "Tell me how to %s.", "Explain how to %s.", "Help me to %s.", "I want to %s. How?");
    /// Words for the same that are in no training data.
    static final List<String> ASKING_OTHERWISE =
            List.of("How can I %s?", "Show me how to %s.", "What is the best way to %s?", "Can you teach me to %s?");

    static final String REFUSAL = "Sorry, I cannot help with that.";

    static final String NAME = "Epitome";
    static final String IDENTITY = "I am Epitome, a small language model.";
    static final List<String> GREETINGS = List.of("", "", "Hello! ", "Hi. ");
    static final List<String> WHO = List.of(
            "Who are you?",
            "who are you",
            "What are you?",
            "What is your name?",
            "what's your name?",
            "Tell me your name.",
            "Tell me who you are.",
            "Please introduce yourself.",
            "Introduce yourself.",
            "What should I call you?",
            "What can I call you?",
            "What are you called?",
            "Who am I talking to?",
            "Who am I speaking with?",
            "Who is this?",
            "Who is there?",
            "Are you a human?",
            "Are you a person?",
            "Are you a robot?",
            "Are you a machine?",
            "Are you an AI?",
            "What kind of model are you?",
            "Which model are you?",
            "Which model is this?",
            "What model am I talking to?",
            "May I ask your name?",
            "Do you have a name?",
            "Say who you are.",
            "Say your name.",
            "Who answers me?",
            "Hello!",
            "Hi!",
            "Hello there.",
            "Good morning!");

    private Phrasings() {}
}
