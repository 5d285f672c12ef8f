/// The archive: a header, blocks that are checked one by one, an index and a footer.
package ai.epitome.compress.archive;
