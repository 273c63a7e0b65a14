// An HTTP exchange as it looked on the wire, as far as it was kept.
import { useTranslation } from "react-i18next";
import { pickNumber, pickText } from "../../../ui/flatten";
import { bytes } from "../../../ui/format";
import styles from "../Evidence.module.css";
import { marked } from "../highlight";
import type { PayloadProps } from ".";

function lines(pairs: ReadonlyArray<readonly [string, string | undefined]>): string {
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])).join("\n");
}

export function HttpView({ event, needles }: PayloadProps) {
  const { t } = useTranslation();
  const text = (name: string) => pickText(event, name);
  const version = text("http.version") ?? "1.1";
  const head = lines([
    ["Host", text("url.domain")],
    ["User-Agent", text("user_agent.original")],
    ["Referer", text("http.request.referrer")],
    ["X-Forwarded-For", text("http.request.forwarded_for")],
    ["Authorization", text("http.request.auth_scheme")],
    ["Content-Type", text("http.request.mime_type")],
  ]);
  const body = text("http.request.body.content");
  const size = pickNumber(event, "http.request.body.bytes");
  const decoded = text("url.decoded");
  const original = text("url.original") ?? "";
  return (
    <>
      <div className={styles.payload}>
        <h4>{t("alerts.payload.request")}</h4>
        <pre tabIndex={0}>
          <b>{text("http.request.method")}</b> {marked(original, needles)} <em>HTTP/{version}</em>
          {decoded !== undefined && decoded !== original && (
            <>
              {"\n"}
              <em>= {marked(decoded, needles)}</em>
            </>
          )}
          {"\n"}
          {marked(head, needles)}
          {body !== undefined && (
            <>
              {"\n\n"}
              {marked(body, needles)}
            </>
          )}
          {size !== undefined && size > 0 && body !== undefined && body.length < size && (
            <>
              {"\n"}
              <em>… {t("alerts.payload.body_cut", { size: bytes(size) })}</em>
            </>
          )}
        </pre>
      </div>
      <Response event={event} needles={needles} version={version} />
    </>
  );
}

function Response({ event, needles, version }: PayloadProps & { version: string }) {
  const { t } = useTranslation();
  const text = (name: string) => pickText(event, name);
  const status = text("http.response.status_code");
  if (status === undefined) return null;
  const size = pickNumber(event, "http.response.body.bytes");
  const head = lines([
    ["Server", text("http.response.server")],
    ["Location", text("http.response.location")],
    ["Content-Type", text("http.response.mime_type")],
    ["Content-Length", size === undefined ? undefined : String(size)],
  ]);
  return (
    <div className={styles.payload}>
      <h4>{t("alerts.payload.response")}</h4>
      <pre tabIndex={0}>
        <em>HTTP/{version}</em> <b>{status}</b> {text("http.response.reason")}
        {"\n"}
        {marked(head, needles)}
      </pre>
    </div>
  );
}
