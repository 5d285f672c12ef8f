/// Conversations of the chat page: their routes and answers; kept in the database of the accounts, written as JSON,
/// Markdown and preference data.
///
/// SQL stands in [ConversationStore], [MessageRows] and [PresetStore] alone.
package ai.epitome.serve.conversation;
