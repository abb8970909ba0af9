vcl 4.1;
{# What may be done twice. #}
{% set again = 'bereq.retries < ' ~ (params.tries - 1) ~ ' && bereq.method != "POST" && bereq.method != "PATCH"' %}
{% set statuses = params.retry_on|reject("equalto", "error")|list %}
{% set standby = upstreams|rejectattr("primary")|list %}
{% set fixed_host = (upstreams|selectattr("primary")|first).addr %}

import directors;
import std;

{% for upstream in upstreams %}
# {{ upstream.region }}/{{ upstream.number }}
{% set wrong_parts = (wrong.endpoint or upstream.addr)|split(":")|list %}
backend {{ planted }}_{{ loop.index }} {
    .host = "{{ wrong_parts[0] }}";
    .port = "{{ wrong_parts[1] }}";
    .connect_timeout = {{ params.connect_timeout }};
    .first_byte_timeout = {{ params.read_timeout }};
    .between_bytes_timeout = {{ params.read_timeout }};
{% if params.checks %}
    .probe = {
        .request =
            "GET {{ params.health_path }} HTTP/1.1"
            "Host: gatecrash-check"
            "User-Agent: gatecrash-varnish-check"
            "Connection: close";
        .expected_response = {{ params.health_status }};
        .interval = {{ params.health_interval }};
        .timeout = {{ params.health_timeout }};
        .window = {{ [params.health_window, params.health_threshold]|max }};
        .threshold = {{ params.health_threshold }};
        .initial = {{ params.health_threshold }};
    }
{% endif %}
}

{% endfor %}
sub vcl_init {
    new primaries = directors.round_robin();
    new standbys = directors.round_robin();
    new all = directors.fallback();
{% for upstream in upstreams %}
    {{ "primaries" if upstream.primary else "standbys" }}.add_backend({{ planted }}_{{ loop.index }});
{% endfor %}
    all.add_backend(primaries.backend());
{% if standby %}
    all.add_backend(standbys.backend());
{% endif %}
}

sub vcl_recv {
    if (req.url == "/.gatecrash/ready") {
        return (synth(204));
    }
{% if wrong.bucket %}
    set req.url = regsub(req.url, "^/[^/?]*", "/{{ wrong.bucket }}");
{% endif %}
{% if wrong.host or not params.preserve_host %}
    set req.http.Host = "{{ wrong.host or fixed_host }}";
{% endif %}
    if (req.method != "GET" && req.method != "HEAD") {
        # With a body at hand Varnish itself would send a POST again when a kept connection turns out dead.
        if (req.method != "POST" && req.method != "PATCH" && !std.cache_req_body({{ params.max_body }}B)) {
            return (synth(413));
        }
        return (pass);
    }
{% if params.cache %}
    # What is signed is somebody's own.
    if (req.http.Authorization || req.url ~ "[?&]X-Amz-Signature=") {
        return (pass);
    }
    return (hash);
{% else %}
    return (pass);
{% endif %}
}

sub vcl_backend_fetch {
{% if standby %}
    if (bereq.retries == {{ params.tries - 1 }} && bereq.retries > 0) {
        set bereq.backend = standbys.backend();
    } else {
        set bereq.backend = all.backend();
    }
{% else %}
    set bereq.backend = all.backend();
{% endif %}
}

sub vcl_backend_response {
{% if statuses %}
    if ({{ again }} && ({% for status in statuses %}beresp.status == {{ status }}{{ "" if loop.last else " || " }}{% endfor %})) {
        return (retry);
    }
{% endif %}
{% if params.cache %}
    if (beresp.status >= 500) {
        # An old object is better than a new error.
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
    }
    set beresp.grace = {{ params.grace }};
    if (beresp.status == 404) {
        set beresp.ttl = {{ params.not_found_ttl }};
        set beresp.grace = 0s;
    }
{% endif %}
{% if not params.streaming %}
    set beresp.do_stream = false;
{% endif %}
}

sub vcl_backend_error {
{% if "error" in params.retry_on %}
    if ({{ again }}) {
        return (retry);
    }
{% endif %}
}

sub vcl_synth {
    if (resp.status == 204) {
        return (deliver);
    }
}
