// The packets of an alert's flow: what each side sent, every packet in hexadecimal and text, and the file to take away.
import { Button, Group, SegmentedControl, Skeleton } from "@mantine/core";
import { IconDownload, IconPackageOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { client, failedWith, must } from "../../../api/client";
import { usePermissions } from "../../../api/session";
import type { Alert } from "../../../api/types";
import { count } from "../../../ui/format";
import { Empty, Failed } from "../../../ui/States";
import { Time } from "../../../ui/Time";
import styles from "../Evidence.module.css";
import { readPcapng } from "./pcapng";
import { asText, dissect, hexDump, sides } from "./streams";

/** How much of a direction is shown. */
const SIDE_BYTES = 64 * 1024;
/** How much of a packet is shown. */
const PACKET_BYTES = 2048;
/** How many packets are listed. */
const LISTED = 100;

function usePackets(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ["alert", id, "packets"],
    enabled,
    retry: false,
    staleTime: Infinity,
    queryFn: ({ signal }) => must(client.GET("/api/v1/alerts/{id}/packets", { params: { path: { id } }, signal, parseAs: "arrayBuffer" })),
  });
}

export function Packets({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const allowed = usePermissions().triage;
  const hasFlow = alert.community_id != null;
  const answer = usePackets(alert.id, allowed && hasFlow);
  if (!hasFlow) return <p className="dim">{t("packets.no_flow")}</p>;
  if (!allowed) return <p className="dim">{t("packets.not_allowed")}</p>;
  if (failedWith(answer.error, 404))
    return (
      <Empty icon={<IconPackageOff size={28} className="dim" />} title={t("packets.none")}>
        {t("packets.none_hint")}
      </Empty>
    );
  if (answer.error) return <Failed error={answer.error} retry={() => void answer.refetch()} />;
  if (!answer.data) return <Skeleton height={160} />;
  return <Shown id={alert.id} file={answer.data as unknown as ArrayBuffer} />;
}

function Shown({ id, file }: { id: string; file: ArrayBuffer }) {
  const { t } = useTranslation();
  const [view, setView] = useState<"text" | "hex">("text");
  const packets = useMemo(() => readPcapng(file), [file]);
  const directions = useMemo(() => sides(packets), [packets]);
  const address = useAddress(file);
  const show = view === "text" ? asText : hexDump;
  return (
    <>
      <Group justify="space-between" mb={8}>
        <span>{t("packets.lead", { number: count(packets.length) })}</span>
        <Group gap={8}>
          <SegmentedControl
            size="xs"
            value={view}
            onChange={(value) => setView(value === "hex" ? "hex" : "text")}
            data={[
              { value: "text", label: t("packets.text") },
              { value: "hex", label: t("packets.hex") },
            ]}
          />
          <Button component="a" href={address} download={`${id.slice(0, 16)}.pcapng`} size="xs" variant="default" leftSection={<IconDownload size={14} />}>
            {t("packets.download")}
          </Button>
        </Group>
      </Group>
      <section aria-label={t("packets.streams")}>
        {directions
          .filter((side) => side.bytes.length > 0)
          .map((side) => (
            <div key={side.from} className={styles.payload}>
              <h4>
                <span className="mono">
                  {side.from} → {side.to}
                </span>{" "}
                · {t("packets.bytes", { number: count(side.bytes.length) })}
                {side.missing > 0 && <> · {t("packets.missing", { number: count(side.missing) })}</>}
              </h4>
              <pre tabIndex={0} aria-label={`${side.from} → ${side.to}`}>
                {show(side.bytes, SIDE_BYTES)}
                {side.bytes.length > SIDE_BYTES && <em>{`\n${t("packets.cut", { number: count(side.bytes.length - SIDE_BYTES) })}`}</em>}
              </pre>
            </div>
          ))}
      </section>
      <section aria-label={t("packets.list")}>
        <h3 className={styles.heading}>{t("packets.list")}</h3>
        {packets.slice(0, LISTED).map((packet, at) => {
          const ends = dissect(packet);
          return (
            <details key={at} className={styles.payload}>
              <summary style={{ padding: "4px 12px" }}>
                <Time at={new Date(packet.timeMs).toISOString()} /> {ends && <span className="mono">{`${ends.from} → ${ends.to}`}</span>}{" "}
                <span className="dim">{t("packets.bytes", { number: count(packet.originalLength) })}</span>
              </summary>
              <pre tabIndex={0} aria-label={t("packets.hex")} style={{ whiteSpace: "pre" }}>{hexDump(packet.bytes, PACKET_BYTES)}</pre>
            </details>
          );
        })}
        {packets.length > LISTED && <p className="dim">{t("packets.more", { number: count(packets.length - LISTED) })}</p>}
      </section>
    </>
  );
}

/** An address of the file that the browser can save from: what is shown is what is saved, and it is fetched once. */
function useAddress(file: ArrayBuffer): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([file], { type: "application/x-pcapng" }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return address;
}
