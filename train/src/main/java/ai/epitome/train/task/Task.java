package ai.epitome.train.task;

/// A request whose answer can be checked.
///
/// @param kind what is asked
/// @param instance what it is asked about, whatever the phrasing
/// @param request as a user says it
/// @param answer a right one
/// @param check tells right answers from wrong ones
public record Task(TaskKind kind, String instance, String request, String answer, Check check) {}
