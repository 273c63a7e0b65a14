// What is kept out of the queue: by whom, why, until when, and how much it has hidden.
import { Anchor, Badge, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { IconEyeOff } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import type { Suppression } from "../../api/types";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";

const KEY = ["suppressions", "list"];

export default function SuppressionsPage() {
  const { t } = useTranslation();
  const list = useQuery({ queryKey: KEY, queryFn: () => must(client.GET("/api/v1/suppressions")), staleTime: 0 });
  const [ending, setEnding] = useState<Suppression | null>(null);
  return (
    <Page title={t("suppressions.title")} lead={t("suppressions.lead")} wide>
      {list.isPending ? (
        <SkeletonRows rows={5} />
      ) : list.isError ? (
        <Failed error={list.error} retry={() => void list.refetch()} />
      ) : list.data.items.length === 0 ? (
        <Empty icon={<IconEyeOff size={28} className="dim" />} title={t("suppressions.empty")}>
          {t("suppressions.empty_hint")}
        </Empty>
      ) : (
        <Panel title={t("suppressions.summary", { active: count(list.data.active), hidden: count(list.data.hidden_today) })} flush>
          <Rows rows={list.data.items} onEnd={setEnding} />
        </Panel>
      )}
      <Modal opened={ending !== null} onClose={() => setEnding(null)} title={t("suppressions.end_title")}>
        {ending && <End suppression={ending} onDone={() => setEnding(null)} />}
      </Modal>
    </Page>
  );
}

function useScopeWords() {
  const { t } = useTranslation();
  return ({ scope, agency }: Suppression): string => {
    const parts = [
      scope.source_ip ? t("suppressions.from", { value: scope.source_ip }) : "",
      scope.destination_ip ? t("suppressions.to", { value: scope.destination_ip }) : "",
      scope.agency_id ? t("suppressions.of", { value: agency?.name ?? scope.agency_id }) : "",
    ].filter((part) => part !== "");
    return parts.length === 0 ? t("suppressions.all_of_rule") : parts.join(", ");
  };
}

const COLOURS = { active: "bamboo", expired: "gray", ended: "gray" } as const;

function Rows({ rows, onEnd }: { rows: readonly Suppression[]; onEnd: (row: Suppression) => void }) {
  const { t, i18n } = useTranslation();
  const may = usePermissions();
  const scope = useScopeWords();
  const columns: ColumnDef<Suppression>[] = [
    {
      key: "rule",
      title: t("suppressions.rule"),
      cell: (row) => (
        <div>
          <Anchor component={Link} to={`/rules/${encodeURIComponent(row.scope.rule_id)}`} size="sm" fw={500}>
            {(i18n.language === "vi" && row.rule_name_vi) || row.rule_name}
          </Anchor>
          <div className="dim">{scope(row)}</div>
        </div>
      ),
    },
    {
      key: "reason",
      title: t("suppressions.reason"),
      cell: (row) => (
        <>
          {row.reason}
          {row.end_reason && <div className="dim">{`${t("suppressions.state.ended")}: ${row.end_reason}`}</div>}
        </>
      ),
    },
    { key: "owner", title: t("suppressions.owner"), width: 150, cell: (row) => row.owner?.display_name ?? t("ui.nobody") },
    {
      key: "hidden",
      title: t("suppressions.hidden"),
      align: "right",
      width: 130,
      cell: (row) =>
        row.hidden === 0 ? (
          <span className="dim">{t("suppressions.never")}</span>
        ) : (
          <>
            <Anchor component={Link} size="sm" to={`/alerts?${new URLSearchParams({ status: "suppressed", suppression: row.id }).toString()}`} aria-label={t("suppressions.see", { number: count(row.hidden) })}>
              {count(row.hidden)}
            </Anchor>
            {row.last_hidden_at && (
              <div className="dim">
                <Time at={row.last_hidden_at} />
              </div>
            )}
          </>
        ),
    },
    { key: "expires", title: t("suppressions.expires"), width: 160, cell: (row) => <Time at={row.expires_at} style="full" /> },
    {
      key: "state",
      title: t("suppressions.state_title"),
      width: 150,
      cell: (row) => (
        <Badge variant={row.state === "active" ? "light" : "default"} color={COLOURS[row.state]} tt="none" fw={500} radius="sm">
          {t(`suppressions.state.${row.state}`)}
        </Badge>
      ),
    },
    {
      key: "actions",
      title: "",
      align: "right",
      width: 90,
      cell: (row) =>
        may.triage &&
        row.state === "active" && (
          <Button size="compact-xs" variant="default" onClick={() => onEnd(row)}>
            {t("suppressions.end")}
          </Button>
        ),
    },
  ];
  return <Table label={t("suppressions.title")} columns={columns} rows={rows} rowKey={(row) => row.id} />;
}

function End({ suppression, onDone }: { suppression: Suppression; onDone: () => void }) {
  const { t } = useTranslation();
  const scope = useScopeWords();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const end = useMutation({
    mutationFn: () => must(client.POST("/api/v1/suppressions/{id}/end", { params: { path: { id: suppression.id } }, body: { reason: reason.trim() } })),
    onSuccess: () => {
      notify(t("suppressions.ended"));
      void queries.invalidateQueries({ queryKey: KEY });
      onDone();
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {suppression.rule_name_vi ?? suppression.rule_name}: {scope(suppression)}
      </Text>
      <Textarea label={t("suppressions.end_reason")} autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={reason.trim() === ""} loading={end.isPending} onClick={() => end.mutate()}>
          {t("suppressions.end")}
        </Button>
      </Group>
    </Stack>
  );
}
