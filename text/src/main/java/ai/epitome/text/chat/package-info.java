/// Conversations as a model reads them: [ai.epitome.text.chat.ChatFormat].
package ai.epitome.text.chat;
