package dev.runcast.api.door;

import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;

/**
 * Keeps pages of other sites from asking for anything through somebody's browser. Without a token file whoever reaches
 * loopback is let in, and a browser on this machine reaches it for every page it shows.
 *
 * <p>Two things are asked of a POST. It has to be JSON, which a page of another site may not send unless this door says
 * so beforehand (Fetch, "CORS-preflight"), and this door never does. And the origin that browsers tell has to be this
 * door itself.
 */
final class CrossSite {
    private CrossSite() {}

    /** @throws dev.runcast.doors.DoorException PERMISSION_DENIED or INVALID */
    static void refuse(ServerHttpRequest request) {
        if (!request.getMethod().equals(HttpMethod.POST)) {
            return;
        }
        HttpHeaders headers = request.getHeaders();
        String origin = headers.getFirst(HttpHeaders.ORIGIN);
        String host = headers.getFirst(HttpHeaders.HOST);
        if (origin != null && !isOf(origin, host)) {
            throw Failures.value(Reason.PERMISSION_DENIED, "origin", origin, "none, or this door itself: " + host);
        }
        String site = headers.getFirst("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin") && !site.equals("none")) {
            throw Failures.value(Reason.PERMISSION_DENIED, "sec-fetch-site", site, "same-origin");
        }
        String type = headers.getFirst(HttpHeaders.CONTENT_TYPE);
        if (type == null || !isJson(type)) {
            throw Failures.value(
                    Reason.INVALID, "content-type", type == null ? "none" : '"' + type + '"', "application/json");
        }
    }

    private static boolean isOf(String origin, @Nullable String host) {
        int authority = origin.indexOf("://");
        return authority > 0 && origin.substring(authority + 3).equalsIgnoreCase(host);
    }

    private static boolean isJson(String type) {
        String bare = type.indexOf(';') < 0 ? type : type.substring(0, type.indexOf(';'));
        return bare.trim().toLowerCase(Locale.ROOT).equals("application/json");
    }
}
