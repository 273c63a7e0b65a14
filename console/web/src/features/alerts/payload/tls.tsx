// A TLS handshake: what the client asked for, what the server showed.
import { useTranslation } from "react-i18next";
import styles from "../Evidence.module.css";
import { Pairs } from "./pairs";
import type { PayloadProps } from ".";

const CLIENT = [
  ["SNI", "tls.client.server_name"],
  ["TLS", "tls.version"],
  ["cipher", "tls.cipher"],
  ["ALPN", "tls.client.alpn"],
  ["JA3", "tls.client.ja3"],
  ["JA4", "ja4.client"],
] as const;

const SERVER = [
  ["subject", "tls.server.subject"],
  ["issuer", "tls.server.issuer"],
  ["not_before", "tls.server.not_before"],
  ["not_after", "tls.server.not_after"],
  ["self_signed", "tls.server.self_signed"],
  ["names", "tls.server.x509.alternative_names"],
  ["SHA-256", "tls.server.hash.sha256"],
  ["JA3S", "tls.server.ja3s"],
] as const;

export function TlsView({ event, needles }: PayloadProps) {
  const { t } = useTranslation();
  return (
    <>
      <div className={styles.payload}>
        <h4>{t("alerts.payload.client")}</h4>
        <Pairs event={event} fields={CLIENT} needles={needles} />
      </div>
      <div className={styles.payload}>
        <h4>{t("alerts.payload.certificate")}</h4>
        <Pairs event={event} fields={SERVER} needles={needles} />
      </div>
    </>
  );
}
