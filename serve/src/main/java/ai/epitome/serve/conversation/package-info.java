/// Conversations of the chat page: kept in the database of the accounts, written as JSON, Markdown and preference data.
///
/// SQL stands in [ai.epitome.serve.conversation.ConversationStore] alone.
package ai.epitome.serve.conversation;
