package ai.epitome.serve;

import ai.epitome.model.CompletionModel;
import ai.epitome.serve.moderation.Moderator;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;

/// What is said about texts: `POST /v1/embeddings` and `POST /v1/moderations`.
final class AnalysisRoutes implements HttpService {
    private final Answering answering;
    private final Moderator moderator;

    AnalysisRoutes(Answering answering, Moderator moderator) {
        this.answering = answering;
        this.moderator = moderator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/embeddings", (request, response) -> answering.respond(request, response, this::embed))
                .post("/moderations", (request, response) -> answering.respond(request, response, this::moderate))
                .any("/embeddings", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any("/moderations", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    Asked embed(byte[] body, RequestMeter meter) {
        EmbeddingRequest wanted = EmbeddingRequest.parse(body);
        CompletionModel model = answering.entry(wanted.model(), meter).model();
        return new Asked(false, cancelled -> new Embeddings(wanted, model, meter, cancelled));
    }

    Asked moderate(byte[] body, RequestMeter meter) {
        Moderations wanted = Moderations.parse(body, moderator);
        return new Asked(false, _ -> wanted);
    }
}
