// The handover of a shift: what is open now and the signature of the one who goes; or one handover as it was signed, and
// the signature of the one who comes.
import { Alert, Button, Group, Select, Stack, Textarea } from "@mantine/core";
import { IconArrowLeft, IconTransfer } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { client, must } from "../../api/client";
import { useCaller, usePermissions } from "../../api/session";
import { useColleagues } from "../../api/shared";
import type { ShiftHandover, ShiftHandoverRow, ShiftState } from "../../api/types";
import { count, fullTime } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { useHandover, useHandovers, useShift, useSign } from "./queries";
import { figures, Shift } from "./Shift";
import styles from "./Handover.module.css";

const MAX_REMARKS = 5000;

export default function HandoverPage() {
  const { id } = useParams();
  return id === undefined ? <Now /> : <One id={id} />;
}

function Now() {
  const { t } = useTranslation();
  const may = usePermissions();
  const shift = useShift();
  return (
    <Page title={t("handover.title")} lead={t("handover.lead")}>
      {shift.isPending ? <SkeletonRows rows={8} /> : shift.isError ? <Failed error={shift.error} retry={() => void shift.refetch()} /> : <Shift state={shift.data} title={t("handover.now")} />}
      {may.cases && shift.data && <HandOver />}
      <History />
    </Page>
  );
}

function HandOver() {
  const { t } = useTranslation();
  const caller = useCaller();
  const people = useColleagues();
  const navigate = useNavigate();
  const [to, setTo] = useState<string | null>(null);
  const [remarks, setRemarks] = useState("");
  const others = (people.data ?? []).filter((user) => user.id !== caller.id && user.agency_id === undefined);
  const hand = useSign(
    () => must(client.POST("/api/v1/handovers", { body: { to_id: to ?? "", remarks: remarks.trim() } })),
    (done) => {
      notify(t("handover.handed", { name: done.to.display_name }));
      void navigate(`/handover/${encodeURIComponent(done.id)}`);
    },
  );
  return (
    <Panel title={t("handover.form")}>
      <Stack gap="sm" maw={720}>
        <Select label={t("handover.to")} searchable value={to} onChange={setTo} data={others.map((user) => ({ value: user.id, label: user.display_name }))} />
        <Textarea label={t("handover.remarks")} description={t("handover.remarks_hint")} autosize minRows={3} maxRows={14} maxLength={MAX_REMARKS} value={remarks} onChange={(event) => setRemarks(event.currentTarget.value)} />
        <Group>
          <Button disabled={to === null} loading={hand.isPending} onClick={() => hand.mutate(undefined)}>
            {t("handover.hand")}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

function History() {
  const { t } = useTranslation();
  const list = useHandovers();
  const columns: ColumnDef<ShiftHandoverRow>[] = [
    { key: "number", title: t("handover.number"), width: 70, cell: (row) => <Link to={`/handover/${encodeURIComponent(row.id)}`}>{count(row.number)}</Link> },
    { key: "from", title: t("handover.from"), cell: (row) => row.from.display_name },
    { key: "to", title: t("handover.comer"), cell: (row) => row.to.display_name },
    { key: "state", title: t("handover.state"), cell: (row) => <span data-state={row.state} className={styles.state}>{t(`handover.states.${row.state}`)}</span> },
    { key: "handed", title: t("handover.handed_at"), cell: (row) => <span className="mono">{fullTime(row.handed_at).slice(0, 16)}</span> },
    { key: "ended", title: t("handover.ended_at"), cell: (row) => (row.state === "taken" && row.ended_at ? <span className="mono">{fullTime(row.ended_at).slice(0, 16)}</span> : "—") },
  ];
  return (
    <Panel title={t("handover.history")} flush>
      {list.isPending ? (
        <SkeletonRows rows={3} />
      ) : list.isError ? (
        <Failed error={list.error} retry={() => void list.refetch()} />
      ) : list.data.items.length === 0 ? (
        <Empty icon={<IconTransfer size={28} className="dim" />} title={t("handover.history_empty")}>
          {t("handover.history_empty_hint")}
        </Empty>
      ) : (
        <Table label={t("handover.history")} columns={columns} rows={list.data.items} rowKey={(row) => row.id} />
      )}
    </Panel>
  );
}

function One({ id }: { id: string }) {
  const { t } = useTranslation();
  const query = useHandover(id);
  const handover = query.data;
  const back = (
    <Link to="/handover" className={styles.back}>
      <IconArrowLeft size={14} aria-hidden /> {t("handover.back")}
    </Link>
  );
  return (
    <Page title={handover ? t("handover.of", { number: count(handover.number) }) : t("handover.title")} lead={back}>
      {query.isPending ? <SkeletonRows rows={8} /> : query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : handover && <Signed handover={handover} />}
    </Page>
  );
}

function Signed({ handover }: { handover: ShiftHandover }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const waiting = handover.state === "waiting";
  return (
    <>
      {!handover.is_whole && (
        <Alert color="red" variant="light" role="alert" mb="sm">
          {t("handover.changed")}
        </Alert>
      )}
      <Panel>
        <dl className={styles.signatures}>
          <div>
            <dt>{t("handover.from")}</dt>
            <dd>
              <b>{handover.from.display_name}</b> <span className="dim">{fullTime(handover.handed_at)}</span>
              {handover.remarks && <div className={styles.prose}>{handover.remarks}</div>}
            </dd>
          </div>
          <div>
            <dt>{t("handover.comer")}</dt>
            <dd>
              <b>{handover.to.display_name}</b> <span className="dim">{handover.state === "taken" && handover.ended_at ? fullTime(handover.ended_at) : t(`handover.states.${handover.state}`)}</span>
              {handover.answer && <div className={styles.prose}>{handover.answer}</div>}
            </dd>
          </div>
        </dl>
        <div className={styles.digest}>
          SHA-256 <code>{handover.digest}</code>
        </div>
      </Panel>
      {waiting && handover.to.id === caller.id && <Take handover={handover} />}
      {waiting && handover.from.id === caller.id && <Withdraw handover={handover} />}
      <Shift state={handover.shown} title={t("handover.shown", { time: fullTime(handover.shown.at) })} />
    </>
  );
}

/** The figures that are others now than when the state was signed. */
function Since({ shown }: { shown: ShiftState }) {
  const { t } = useTranslation();
  const now = useShift();
  if (!now.data) return null;
  const [then, today] = [figures(shown), figures(now.data)];
  const changed = (Object.keys(then) as Array<keyof typeof then>).filter((name) => then[name] !== today[name]);
  const text = changed.map((name) => `${t(`handover.figures.${name}`)} ${count(then[name])} → ${count(today[name])}`).join(", ");
  return <p className="dim">{changed.length === 0 ? t("handover.since_same") : t("handover.since", { text })}</p>;
}

function Take({ handover }: { handover: ShiftHandover }) {
  const { t } = useTranslation();
  const [answer, setAnswer] = useState("");
  const sign = useSign(
    (take: boolean) => must(client.POST("/api/v1/handovers/{id}/answer", { params: { path: { id: handover.id } }, body: { take, answer: answer.trim(), digest: handover.digest } })),
    (done) => notify(t(done.state === "taken" ? "handover.taken" : "handover.refused")),
  );
  return (
    <Panel title={t("handover.take")}>
      <Stack gap="sm" maw={720}>
        <Since shown={handover.shown} />
        <Textarea label={t("handover.answer")} description={t("handover.answer_hint")} autosize minRows={2} maxRows={10} maxLength={MAX_REMARKS} value={answer} onChange={(event) => setAnswer(event.currentTarget.value)} />
        <Group gap="xs">
          <Button loading={sign.isPending} onClick={() => sign.mutate(true)}>
            {t("handover.take")}
          </Button>
          <Button variant="default" disabled={answer.trim() === ""} loading={sign.isPending} onClick={() => sign.mutate(false)}>
            {t("handover.refuse")}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

function Withdraw({ handover }: { handover: ShiftHandover }) {
  const { t } = useTranslation();
  const withdraw = useSign(
    () => must(client.POST("/api/v1/handovers/{id}/withdraw", { params: { path: { id: handover.id } } })),
    () => notify(t("handover.withdrawn")),
  );
  return (
    <Group mb="sm">
      <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate(undefined)}>
        {t("handover.withdraw")}
      </Button>
    </Group>
  );
}
