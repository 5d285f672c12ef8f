package ai.epitome.serve.conversation;

/// A conversation without its messages.
///
/// @param folder empty for none
/// @param leaf number of the message at which the branch that is shown ends; 0 where there is no message
/// @param created milliseconds since 1970
/// @param updated when something was last said
public record StoredConversation(
        String id, String title, String folder, Settings settings, int leaf, long created, long updated) {

    public StoredConversation withTitle(String newTitle) {
        return new StoredConversation(id, newTitle, folder, settings, leaf, created, updated);
    }

    public StoredConversation withFolder(String newFolder) {
        return new StoredConversation(id, title, newFolder, settings, leaf, created, updated);
    }

    public StoredConversation withLeaf(int newLeaf) {
        return new StoredConversation(id, title, folder, settings, newLeaf, created, updated);
    }
}
