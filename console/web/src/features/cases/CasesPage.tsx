// All cases, newest first, and one's own tasks. What is looked for stands in the address.
import { Button, Checkbox, Group, Modal, SegmentedControl, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconAlarm, IconBriefcase, IconLock, IconPlus, IconSearch } from "@tabler/icons-react";
import { useEffect, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useCaller, usePermissions } from "../../api/session";
import { useAgencies } from "../../api/shared";
import { CASE_STATUSES, SEVERITIES, type CaseRow, type Severity, type Task } from "../../api/types";
import { count } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useCaseData, useCases, useCreateCase, useMyTasks } from "./queries";
import { StatusBadge } from "./StatusBadge";
import styles from "./Cases.module.css";

const TYPING_MS = 250;

function useListState() {
  const [params, setParams] = useSearchParams();
  const [text, setText] = useState(params.get("text") ?? "");
  const [typed] = useDebouncedValue(text, TYPING_MS);
  const set = (key: string, value: string) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === "") next.delete(key);
        else next.set(key, value);
        return next;
      },
      { replace: true },
    );
  useEffect(() => {
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (typed === "") next.delete("text");
        else next.set("text", typed);
        return next;
      },
      { replace: true },
    );
  }, [typed, setParams]);
  const status = params.get("status") ?? "active";
  return { status, group: params.get("group") ?? "", mine: params.get("mine") === "1", overdue: params.get("overdue") === "1", set, text, setText, typed };
}

export default function CasesPage() {
  const { t } = useTranslation();
  const may = usePermissions();
  const caller = useCaller();
  const { data, named } = useCaseData();
  const { status, group, mine, overdue, set, text, setText, typed } = useListState();
  const tasks = status === "tasks";
  const cases = useCases({ status: tasks ? "active" : status, text: typed, lead: mine ? caller.id : "", group, overdue });
  const [opened, dialog] = useDisclosure(false);
  const rows = cases.data?.pages.flatMap((page) => page.items) ?? [];
  const narrowed = typed !== "" || status !== "all" || mine || overdue || group !== "";
  return (
    <Page
      wide
      title={t("cases.title")}
      lead={t("cases.lead")}
      actions={
        may.cases && (
          <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
            {t("cases.create")}
          </Button>
        )
      }
    >
      <div className={styles.filters}>
        <SegmentedControl
          size="xs"
          aria-label={t("cases.status")}
          value={status}
          onChange={(value) => set("status", value === "active" ? "" : value)}
          data={[
            { value: "active", label: t("cases.active") },
            ...CASE_STATUSES.map((value) => ({ value, label: t(`case_status.${value}`) })),
            { value: "all", label: t("cases.all") },
            ...(may.cases ? [{ value: "tasks", label: t("cases.my_tasks") }] : []),
          ]}
        />
        {!tasks && (
          <>
            <TextInput size="xs" w={220} aria-label={t("cases.search")} placeholder={t("cases.search")} leftSection={<IconSearch size={14} />} value={text} onChange={(event) => setText(event.currentTarget.value)} />
            <Select size="xs" w={200} aria-label={t("cases.class.internal")} placeholder={t("cases.class.internal")} clearable value={group || null} onChange={(value) => set("group", value ?? "")} data={data.internal.entry.map((entry) => ({ value: entry.id, label: named(entry) }))} />
            <Checkbox size="xs" label={t("cases.mine")} checked={mine} onChange={(event) => set("mine", event.currentTarget.checked ? "1" : "")} />
            <Checkbox size="xs" label={t("cases.with_overdue")} checked={overdue} onChange={(event) => set("overdue", event.currentTarget.checked ? "1" : "")} />
            {cases.data && <span className="dim">{t("cases.total", { number: count(cases.data.pages[0]?.total ?? 0) })}</span>}
          </>
        )}
      </div>
      {tasks ? (
        <MyTasks />
      ) : (
        <Panel flush>{cases.isPending ? <SkeletonRows /> : cases.isError ? <Failed error={cases.error} retry={() => void cases.refetch()} /> : <CaseTable rows={rows} narrowed={narrowed} />}</Panel>
      )}
      {!tasks && cases.hasNextPage && (
        <Group justify="center">
          <Button variant="default" size="xs" loading={cases.isFetchingNextPage} onClick={() => void cases.fetchNextPage()}>
            {t("ui.more")}
          </Button>
        </Group>
      )}
      <Modal opened={opened} onClose={dialog.close} title={t("cases.create_title")}>
        <CreateForm onCancel={dialog.close} />
      </Modal>
    </Page>
  );
}

function Due({ row }: { row: CaseRow }) {
  const { t } = useTranslation();
  if (row.overdue_tasks > 0) {
    return (
      <span className={styles.late}>
        <IconAlarm size={14} aria-hidden />
        {t("cases.overdue_count", { number: count(row.overdue_tasks) })}
      </span>
    );
  }
  return row.next_due ? <Time at={row.next_due} /> : <span className="dim">—</span>;
}

function CaseTable({ rows, narrowed }: { rows: readonly CaseRow[]; narrowed: boolean }) {
  const { t } = useTranslation();
  const { name } = useCaseData();
  const navigate = useNavigate();
  if (rows.length === 0) {
    return (
      <Empty icon={<IconBriefcase size={28} className="dim" />} title={narrowed ? t("cases.empty_filtered") : t("cases.empty")}>
        {t("cases.empty_hint")}
      </Empty>
    );
  }
  const columns: ColumnDef<CaseRow>[] = [
    { key: "number", title: t("cases.number"), cell: (row) => <span className="mono dim">#{row.number}</span>, width: 60 },
    { key: "severity", title: t("cases.severity"), cell: (row) => <SeverityBadge level={row.severity} compact />, width: 130 },
    {
      key: "title",
      title: t("cases.name"),
      cell: (row) => (
        <>
          <Link to={`/cases/${encodeURIComponent(row.id)}`} className={styles.title}>
            {row.restricted && <IconLock size={13} aria-label={t("cases.restricted")} className={styles.lock} />}
            {row.title}
          </Link>
          {row.phase && <div className={styles.phase}>{name(row.phase)}</div>}
        </>
      ),
    },
    { key: "status", title: t("cases.status"), cell: (row) => <StatusBadge status={row.status} />, width: 140 },
    { key: "lead", title: t("cases.leader"), cell: (row) => row.lead?.display_name ?? <span className="dim">{t("cases.nobody")}</span>, width: 160 },
    { key: "agency", title: t("cases.agency"), cell: (row) => row.agency?.name ?? <span className="dim">{t("cases.no_agency")}</span>, width: 180 },
    { key: "due", title: t("cases.next_due"), cell: (row) => <Due row={row} />, width: 150 },
    { key: "alerts", title: t("cases.alerts"), cell: (row) => count(row.alert_count), align: "right", width: 80 },
    { key: "updated", title: t("cases.updated"), cell: (row) => <Time at={row.updated_at} />, align: "right", width: 120 },
  ];
  return <Table label={t("cases.title")} columns={columns} rows={rows} rowKey={(row) => row.id} onOpen={(row) => void navigate(`/cases/${encodeURIComponent(row.id)}`)} />;
}

function MyTasks() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { name } = useCaseData();
  const tasks = useMyTasks(true);
  const columns: ColumnDef<Task>[] = [
    {
      key: "due",
      title: t("cases.due"),
      width: 170,
      cell: (task) =>
        task.due_at ? (
          <span className={task.overdue ? styles.late : undefined}>
            {task.overdue && <IconAlarm size={14} aria-label={t("cases.overdue")} />}
            <Time at={task.due_at} />
          </span>
        ) : (
          <span className="dim">—</span>
        ),
    },
    {
      key: "task",
      title: t("cases.task"),
      cell: (task) => (
        <Link to={`/cases/${encodeURIComponent(task.case_id)}?tab=tasks`} className={styles.title}>
          {task.title}
        </Link>
      ),
    },
    { key: "phase", title: t("cases.phase"), cell: (task) => (task.phase ? name(task.phase) : "—"), width: 240 },
    { key: "case", title: t("cases.of_case"), cell: (task) => `#${task.case_number} ${task.case_title}` },
  ];
  return (
    <Panel flush>
      {tasks.isPending ? (
        <SkeletonRows />
      ) : tasks.isError ? (
        <Failed error={tasks.error} retry={() => void tasks.refetch()} />
      ) : tasks.data.length === 0 ? (
        <Empty title={t("cases.my_tasks_empty")}>{t("cases.my_tasks_empty_hint")}</Empty>
      ) : (
        <Table label={t("cases.my_tasks")} columns={columns} rows={tasks.data} rowKey={(task) => task.id} onOpen={(task) => void navigate(`/cases/${encodeURIComponent(task.case_id)}?tab=tasks`)} />
      )}
    </Panel>
  );
}

function CreateForm({ onCancel }: { onCancel: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const agencies = useAgencies();
  const { data, named } = useCaseData();
  const create = useCreateCase();
  const [title, setTitle] = useState("");
  const [severity, setSeverity] = useState<Severity>("medium");
  const [agency, setAgency] = useState<string | null>(null);
  const [template, setTemplate] = useState<string | null>(null);
  const [restricted, setRestricted] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { title: title.trim(), severity, restricted, ...(agency ? { agency_id: agency } : {}), ...(template ? { template } : {}) },
      {
        onSuccess: (made) => void navigate(`/cases/${encodeURIComponent(made.id)}`),
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  };
  const chosen = data.templates.find((each) => each.id === template);
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t("cases.name")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} required withAsterisk={false} maxLength={200} data-autofocus />
        <Select label={t("cases.severity")} value={severity} onChange={(value) => setSeverity(SEVERITIES.find((each) => each === value) ?? "medium")} data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} />
        <Select label={t("cases.agency")} value={agency} onChange={setAgency} clearable searchable placeholder={t("cases.no_agency")} data={(agencies.data ?? []).map(({ id, name }) => ({ value: id, label: name }))} />
        <Select label={t("cases.template")} description={chosen ? t("cases.template_has", { number: count(chosen.tasks.length) }) : t("cases.template_hint")} value={template} onChange={setTemplate} clearable placeholder={t("cases.not_chosen")} data={data.templates.map((each) => ({ value: each.id, label: named(each) }))} />
        <Switch label={t("cases.restrict")} description={t("cases.restrict_hint")} checked={restricted} onChange={(event) => setRestricted(event.currentTarget.checked)} />
        <div className={styles.formActions}>
          <Button variant="default" onClick={onCancel}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={create.isPending} disabled={title.trim() === ""}>
            {t("cases.create")}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
