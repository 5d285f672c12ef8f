/// Conversations: read from the layouts that data sets have, and rendered as tokens of which some are learned.
package ai.epitome.train.chat;
