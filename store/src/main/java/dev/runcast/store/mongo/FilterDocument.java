package dev.runcast.store.mongo;

import com.mongodb.client.model.Filters;
import dev.runcast.store.ExecutionFilter;
import dev.runcast.store.ExecutionFilter.Comparison;
import dev.runcast.store.ExecutionFilter.Condition;
import dev.runcast.store.PageToken;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bson.Document;
import org.bson.conversions.Bson;

/** A filter as MongoDB understands it. */
final class FilterDocument {
    private FilterDocument() {}

    static Bson of(String tenant, ExecutionFilter filter) {
        List<Bson> all = new ArrayList<>();
        all.add(Filters.eq("tenant", tenant));
        filter.conditions().forEach(condition -> all.add(of(condition)));
        return Filters.and(all);
    }

    /** What comes after a page's last item, newest first. */
    static Bson after(PageToken token) {
        Date createdAt = new Date(token.first());
        return Filters.or(
                Filters.lt("created_at", createdAt),
                Filters.and(Filters.eq("created_at", createdAt), Filters.lt("execution_id", token.second())));
    }

    private static Bson of(Condition condition) {
        if (condition instanceof Condition.OfPhase of) {
            return compare("phase", of.comparison(), Names.shortName(of.phase(), "PHASE_"));
        }
        if (condition instanceof Condition.OfAgent of) {
            return compare("agent", of.comparison(), of.agent());
        }
        if (condition instanceof Condition.OfSession of) {
            return compare("session_id", of.comparison(), of.sessionId());
        }
        if (condition instanceof Condition.OfLabel of) {
            return compare("labels", of.comparison(), HeaderDocument.label(of.label(), of.value()));
        }
        Condition.OfCreation of = (Condition.OfCreation) condition;
        return compare("created_at", of.comparison(), Date.from(of.createdAt()));
    }

    private static Bson compare(String field, Comparison comparison, Object value) {
        String operator =
                switch (comparison) {
                    case EQUAL -> "$eq";
                    case NOT_EQUAL -> "$ne";
                    case LESS -> "$lt";
                    case LESS_OR_EQUAL -> "$lte";
                    case GREATER -> "$gt";
                    case GREATER_OR_EQUAL -> "$gte";
                };
        return comparison == Comparison.EQUAL
                ? new Document(field, value)
                : new Document(field, new Document(operator, value));
    }
}
