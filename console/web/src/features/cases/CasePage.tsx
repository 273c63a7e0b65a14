// One case: what is known, what happened, what was written. Everything prints.
import { ActionIcon, Button, Select, Stack, Textarea, TextInput, Tooltip } from "@mantine/core";
import { IconArrowLeft, IconPencil, IconPrinter } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { failedWith } from "../../api/client";
import { usePermissions } from "../../api/session";
import { useAgencies } from "../../api/shared";
import { CASE_STATUSES, SEVERITIES, type AlertRow, type CaseDetail, type ChangeCase } from "../../api/types";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Panel, usePageTitle } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { CaseHistory } from "./CaseHistory";
import { useAddNote, useCase, useChangeCase } from "./queries";
import styles from "./Cases.module.css";

export default function CasePage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const query = useCase(id);
  usePageTitle(query.data?.title ?? t("cases.title"));
  if (query.isPending) return <SkeletonRows rows={8} height={48} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <CaseView detail={query.data} />;
}

function useChange(detail: CaseDetail) {
  const { t } = useTranslation();
  const change = useChangeCase(detail.id);
  const apply = (changes: Omit<ChangeCase, "version">, done?: () => void) =>
    change.mutate(
      { ...changes, version: detail.version },
      {
        onSuccess: () => {
          notify(t("cases.saved"));
          done?.();
        },
        onError: (error) => notifyFailure(t("ui.not_done"), failedWith(error, 409) ? t("cases.stale") : error.message || t("ui.unreachable")),
      },
    );
  return { apply, busy: change.isPending };
}

function CaseView({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const may = usePermissions();
  return (
    <main className={styles.page}>
      <div className={styles.main}>
        <Link to="/cases" className={`${styles.back} no-print`}>
          <IconArrowLeft size={14} aria-hidden />
          {t("cases.title")}
        </Link>
        <Heading detail={detail} editable={may.cases} />
        <Summary detail={detail} editable={may.cases} />
        <Linked alerts={detail.alerts} />
        <Notes detail={detail} editable={may.cases} />
      </div>
      <aside className={styles.side} aria-label={t("cases.facts")}>
        <Facts detail={detail} editable={may.cases} />
        <h2 className={styles.sideHeading}>{t("cases.history")}</h2>
        <CaseHistory entries={detail.history} />
      </aside>
    </main>
  );
}

function Heading({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const { apply, busy } = useChange(detail);
  const [title, setTitle] = useState<string | null>(null);
  return (
    <div className={styles.heading}>
      <div className={styles.caseNumber}>
        <SeverityBadge level={detail.severity} />
        <span className="dim">{t("cases.case_number", { number: detail.number })}</span>
      </div>
      {title === null ? (
        <div className={styles.headingLine}>
          <h1 className={styles.caseTitle}>
            {detail.title}
          </h1>
          {editable && (
            <ActionIcon className="no-print" variant="subtle" color="gray" onClick={() => setTitle(detail.title)} aria-label={`${t("cases.edit")}: ${t("cases.name")}`}>
              <IconPencil size={16} />
            </ActionIcon>
          )}
          <Tooltip label={t("cases.print")}>
            <ActionIcon className="no-print" variant="subtle" color="gray" onClick={() => window.print()} aria-label={t("cases.print")}>
              <IconPrinter size={17} />
            </ActionIcon>
          </Tooltip>
        </div>
      ) : (
        <form
          className={styles.headingLine}
          onSubmit={(event) => {
            event.preventDefault();
            apply({ title: title.trim() }, () => setTitle(null));
          }}
        >
          <TextInput aria-label={t("cases.name")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={200} autoFocus style={{ flex: 1 }} />
          <Button type="submit" loading={busy} disabled={title.trim() === ""}>
            {t("ui.save")}
          </Button>
          <Button variant="default" onClick={() => setTitle(null)}>
            {t("ui.cancel")}
          </Button>
        </form>
      )}
    </div>
  );
}

function Summary({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const { apply, busy } = useChange(detail);
  const [text, setText] = useState<string | null>(null);
  const edit = editable && text === null && (
    <Button size="compact-xs" variant="subtle" className="no-print" leftSection={<IconPencil size={13} />} onClick={() => setText(detail.summary)}>
      {t("cases.edit")}
    </Button>
  );
  return (
    <Panel title={t("cases.summary")} aside={edit}>
      {text === null ? (
        <div className={styles.prose}>{detail.summary || <span className="dim">{t("cases.summary_empty")}</span>}</div>
      ) : (
        <Stack gap="xs">
          <Textarea aria-label={t("cases.summary")} description={t("cases.summary_hint")} autosize minRows={4} maxRows={20} maxLength={20000} value={text} onChange={(event) => setText(event.currentTarget.value)} autoFocus />
          <div className={styles.formActions}>
            <Button variant="default" size="xs" onClick={() => setText(null)}>
              {t("ui.cancel")}
            </Button>
            <Button size="xs" loading={busy} onClick={() => apply({ summary: text }, () => setText(null))}>
              {t("ui.save")}
            </Button>
          </div>
        </Stack>
      )}
    </Panel>
  );
}

function Linked({ alerts }: { alerts: readonly AlertRow[] }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const columns: ColumnDef<AlertRow>[] = [
    { key: "severity", title: t("cases.severity"), cell: (row) => <SeverityBadge level={row.severity} compact />, width: 120 },
    {
      key: "rule",
      title: t("cases.rule"),
      cell: (row) => (
        <Link className={styles.title} to={`/alerts/${encodeURIComponent(row.id)}`}>
          {i18n.language === "vi" ? (row.rule_name_vi ?? row.rule_name) : row.rule_name}
        </Link>
      ),
    },
    { key: "addresses", title: "IP", cell: (row) => <span className="mono">{`${row.source?.ip ?? "—"} → ${row.destination?.ip ?? "—"}`}</span> },
    { key: "time", title: t("cases.time"), cell: (row) => <Time at={row.time} style="full" />, align: "right", width: 170 },
  ];
  return (
    <Panel title={`${t("cases.linked")} (${count(alerts.length)})`} flush>
      {alerts.length === 0 ? <div className={`${styles.pad} dim`}>{t("cases.linked_empty")}</div> : <Table label={t("cases.linked")} columns={columns} rows={alerts} rowKey={(row) => row.id} onOpen={(row) => void navigate(`/alerts/${encodeURIComponent(row.id)}`)} />}
    </Panel>
  );
}

function Notes({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const add = useAddNote(detail.id);
  const [text, setText] = useState("");
  const submit = () => add.mutate(text.trim(), { onSuccess: () => setText(""), onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")) });
  return (
    <Panel title={t("cases.notes")}>
      {detail.notes.length === 0 && <p className={`${styles.none} dim`}>{t("cases.notes_empty")}</p>}
      {detail.notes.map((note) => (
        <div key={note.id} className={styles.note}>
          <div className="dim">
            <b>{note.by?.display_name ?? t("ui.nobody")}</b> · <Time at={note.at} style="full" />
          </div>
          <div className={styles.prose}>{note.text}</div>
        </div>
      ))}
      {editable && (
        <Stack gap="xs" className="no-print">
          <Textarea aria-label={t("cases.note")} placeholder={t("cases.note")} autosize minRows={2} maxRows={14} maxLength={20000} value={text} onChange={(event) => setText(event.currentTarget.value)} />
          <div className={styles.formActions}>
            <Button size="xs" disabled={text.trim() === ""} loading={add.isPending} onClick={submit}>
              {t("cases.add_note")}
            </Button>
          </div>
        </Stack>
      )}
    </Panel>
  );
}

function Facts({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const agencies = useAgencies();
  const { apply } = useChange(detail);
  const statuses = CASE_STATUSES.map((value) => ({ value, label: t(`case_status.${value}`) }));
  return (
    <Stack gap="sm">
      <Select
        label={t("cases.status")}
        value={detail.status}
        disabled={!editable}
        data={statuses}
        onChange={(value) => {
          const status = CASE_STATUSES.find((each) => each === value);
          if (status && status !== detail.status) apply({ status });
        }}
      />
      <Select
        label={t("cases.severity")}
        value={detail.severity}
        disabled={!editable}
        data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
        onChange={(value) => {
          const severity = SEVERITIES.find((each) => each === value);
          if (severity && severity !== detail.severity) apply({ severity });
        }}
      />
      <Select label={t("cases.agency")} value={detail.agency?.id ?? null} disabled={!editable} clearable searchable placeholder={t("cases.no_agency")} data={(agencies.data ?? []).map(({ id, name }) => ({ value: id, label: name }))} onChange={(value) => apply({ agency_id: value ?? "" })} />
      <dl className={styles.facts}>
        <dt>{t("cases.opened_by")}</dt>
        <dd>{detail.opened_by?.display_name ?? t("ui.nobody")}</dd>
        <dt>{t("cases.opened")}</dt>
        <dd>
          <Time at={detail.opened_at} style="full" />
        </dd>
        <dt>{t("cases.updated")}</dt>
        <dd>
          <Time at={detail.updated_at} style="full" />
        </dd>
      </dl>
    </Stack>
  );
}
