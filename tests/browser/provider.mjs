// An identity provider for walks, on the loopback interface: a page that lets somebody in, or not, and signed tokens.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const encoded = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Starts it; `next.subject` is who is let in next, or `null` for nobody. */
export async function startProvider(port, clientId) {
  const issuer = `http://127.0.0.1:${port}`;
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" };
  const codes = new Map();
  const next = { subject: "sub-1", claims: {} };

  const published = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    end_session_endpoint: `${issuer}/logout`,
  };

  function authorize(query) {
    const back = new URL(query.get("redirect_uri"));
    back.searchParams.set("state", query.get("state"));
    if (next.subject === null) {
      back.searchParams.set("error", "access_denied");
      return back.href;
    }
    const code = randomUUID();
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: clientId, sub: next.subject, nonce: query.get("nonce"), iat: now, exp: now + 300, ...next.claims };
    const text = `${encoded({ alg: "RS256", kid: "k1" })}.${encoded(claims)}`;
    codes.set(code, { challenge: query.get("code_challenge"), token: `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}` });
    back.searchParams.set("code", code);
    return back.href;
  }

  function exchange(form) {
    const found = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    if (found === undefined || found.challenge !== challenge || form.get("client_id") !== clientId) return { error: "invalid_grant" };
    return { access_token: "x", token_type: "Bearer", id_token: found.token };
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, issuer);
    const json = (value) => response.setHeader("content-type", "application/json").end(JSON.stringify(value));
    const page = (text) => response.setHeader("content-type", "text/html; charset=utf-8").end(`<!doctype html><title>Cổng định danh</title>${text}`);
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      if (url.pathname === "/.well-known/openid-configuration") return json(published);
      if (url.pathname === "/keys") return json({ keys: [key] });
      if (url.pathname === "/token") return json(exchange(new URLSearchParams(body)));
      if (url.pathname === "/authorize") return page(`<a href="${authorize(url.searchParams).replaceAll("&", "&amp;")}">Tiếp tục</a>`);
      if (url.pathname === "/logout") return response.writeHead(303, { location: url.searchParams.get("post_logout_redirect_uri") }).end();
      return response.writeHead(204).end();
    });
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return { issuer, next, close: () => server.close() };
}
