// Signature Version 4 of a request without a body, whose only signed headers are the three of every request.
import crypto from 'crypto';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const HOST = {{ (wrong.host or (upstreams|selectattr("primary")|first).addr)|json }};
const REGION = {{ (wrong.region or (regions|selectattr("primary")|first).name)|json }};
const KEY = {{ (credentials.access_key if credentials else "")|json }};
const SECRET = {{ (credentials.secret_key if credentials else "")|json }};

function hmac(key, text) {
    return crypto.createHmac('sha256', key).update(text);
}

// One moment for the header and its signature.
function date(r) {
    if (!r.variables.amz_date) {
        r.variables.amz_date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    }
    return r.variables.amz_date;
}

function authorization(r) {
    const now = date(r);
    const day = now.slice(0, 8);
    const names = 'host;x-amz-content-sha256;x-amz-date';
    const headers = `host:${HOST}\nx-amz-content-sha256:${EMPTY}\nx-amz-date:${now}\n`;
    const request = [r.method, r.variables.s3_path, '', headers, names, EMPTY].join('\n');
    const hash = crypto.createHash('sha256').update(request).digest('hex');
    const scope = `${day}/${REGION}/s3/aws4_request`;
    const key = [day, REGION, 's3', 'aws4_request'].reduce((key, part) => hmac(key, part).digest(), `AWS4${SECRET}`);
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${now}\n${scope}\n${hash}`).digest('hex');
    return `AWS4-HMAC-SHA256 Credential=${KEY}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

// Nothing says that the object came from S3.
function plain(r) {
    Object.keys(r.headersOut).filter(name => name.toLowerCase().startsWith('x-amz-')).forEach(name => {
        delete r.headersOut[name];
    });
}

export default { date, authorization, plain };
