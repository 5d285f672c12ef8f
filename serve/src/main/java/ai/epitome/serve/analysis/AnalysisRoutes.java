package ai.epitome.serve.analysis;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.Asked;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.moderation.Moderator;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;

/// What is said about texts: `POST /v1/embeddings` and `POST /v1/moderations`.
public final class AnalysisRoutes implements HttpService {
    private final Answering answering;
    private final Moderator moderator;

    public AnalysisRoutes(Answering answering, Moderator moderator) {
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

    public Asked embed(byte[] body, RequestMeter meter) {
        EmbeddingRequest wanted = EmbeddingRequest.parse(body);
        CompletionModel model = answering.entry(wanted.model(), meter).model();
        return new Asked(false, cancelled -> new Embeddings(wanted, model, meter, cancelled));
    }

    public Asked moderate(byte[] body, RequestMeter meter) {
        Moderations wanted = Moderations.parse(body, moderator);
        return new Asked(false, _ -> wanted);
    }
}
