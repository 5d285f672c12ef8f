package ai.epitome.text;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Which pairs of a vocabulary's tokens are joined, and to what, in the order of their ranks.
public record PieceMerges(int[] left, int[] right, int[] merged) {
    /// The number of pairs.
    public int count() {
        return left.length;
    }

    MergeTable table() {
        var table = new MergeTable(count());
        for (int i = count() - 1; i >= 0; i--) {
            table.put(left[i], right[i], i, merged[i]);
        }
        return table;
    }

    /// The pairs whose joined text is a token, those of the highest score first: how Hugging Face's converter writes
    /// SentencePiece's scores. A token whose halves are no tokens is never made of pairs.
    public static PieceMerges ofScores(List<VocabularyPiece> pieces) {
        record Pair(int left, int right, int merged, float score, int first, int second) {}
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == VocabularyPiece.Type.NORMAL) {
                ids.putIfAbsent(pieces.get(id).escaped(), id);
            }
        }
        var pairs = new ArrayList<Pair>();
        for (Map.Entry<String, Integer> token : ids.entrySet()) {
            String text = token.getKey();
            for (int cut = 1; cut < text.length(); cut++) {
                Integer left = ids.get(text.substring(0, cut));
                Integer right = ids.get(text.substring(cut));
                if (left != null && right != null) {
                    float score = pieces.get(token.getValue()).score();
                    pairs.add(new Pair(left, right, token.getValue(), score, cut, text.length() - cut));
                }
            }
        }
        pairs.sort(Comparator.<Pair>comparingDouble(pair -> -pair.score)
                .thenComparingInt(pair -> -pair.first)
                .thenComparingInt(pair -> -pair.second)
                .thenComparingInt(Pair::left)
                .thenComparingInt(Pair::right));
        return new PieceMerges(
                pairs.stream().mapToInt(Pair::left).toArray(),
                pairs.stream().mapToInt(Pair::right).toArray(),
                pairs.stream().mapToInt(Pair::merged).toArray());
    }
}
