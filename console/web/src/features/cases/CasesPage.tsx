// All cases, newest first.
import { Button, Modal, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconBriefcase, IconPlus, IconSearch } from "@tabler/icons-react";
import { useEffect, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { usePermissions } from "../../api/session";
import { useAgencies } from "../../api/shared";
import { CASE_STATUSES, SEVERITIES, type CaseRow, type Severity } from "../../api/types";
import { count } from "../../ui/format";
import { notifyFailure } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useCases, useCreateCase } from "./queries";
import { StatusBadge } from "./StatusBadge";
import styles from "./Cases.module.css";

const TYPING_MS = 250;

function useListState() {
  const [params, setParams] = useSearchParams();
  const status = params.get("status") ?? "active";
  const [text, setText] = useState(params.get("text") ?? "");
  const [typed] = useDebouncedValue(text, TYPING_MS);
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
  const setStatus = (value: string) => setParams((old) => new URLSearchParams([...old].filter(([key]) => key !== "status").concat([["status", value]])));
  return { status, setStatus, text, setText, typed };
}

export default function CasesPage() {
  const { t } = useTranslation();
  const may = usePermissions();
  const { status, setStatus, text, setText, typed } = useListState();
  const cases = useCases(status, typed);
  const [opened, dialog] = useDisclosure(false);
  return (
    <Page
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
          onChange={setStatus}
          data={[{ value: "active", label: t("cases.active") }, ...CASE_STATUSES.map((value) => ({ value, label: t(`case_status.${value}`) })), { value: "all", label: t("cases.all") }]}
        />
        <TextInput size="xs" w={280} aria-label={t("cases.search")} placeholder={t("cases.search")} leftSection={<IconSearch size={14} />} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      </div>
      <Panel flush>
        {cases.isPending ? <SkeletonRows /> : cases.isError ? <Failed error={cases.error} retry={() => void cases.refetch()} /> : <CaseTable rows={cases.data.items} narrowed={typed !== "" || status !== "all"} />}
      </Panel>
      <Modal opened={opened} onClose={dialog.close} title={t("cases.create_title")}>
        <CreateForm onCancel={dialog.close} />
      </Modal>
    </Page>
  );
}

function CaseTable({ rows, narrowed }: { rows: readonly CaseRow[]; narrowed: boolean }) {
  const { t } = useTranslation();
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
        <Link to={`/cases/${encodeURIComponent(row.id)}`} className={styles.title}>
          {row.title}
        </Link>
      ),
    },
    { key: "status", title: t("cases.status"), cell: (row) => <StatusBadge status={row.status} />, width: 150 },
    { key: "agency", title: t("cases.agency"), cell: (row) => row.agency?.name ?? <span className="dim">{t("cases.no_agency")}</span> },
    { key: "alerts", title: t("cases.alerts"), cell: (row) => count(row.alert_count), align: "right", width: 90 },
    { key: "updated", title: t("cases.updated"), cell: (row) => <Time at={row.updated_at} />, align: "right", width: 130 },
  ];
  return <Table label={t("cases.title")} columns={columns} rows={rows} rowKey={(row) => row.id} onOpen={(row) => void navigate(`/cases/${encodeURIComponent(row.id)}`)} />;
}

function CreateForm({ onCancel }: { onCancel: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const agencies = useAgencies();
  const create = useCreateCase();
  const [title, setTitle] = useState("");
  const [severity, setSeverity] = useState<Severity>("medium");
  const [agency, setAgency] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { title: title.trim(), severity, ...(agency ? { agency_id: agency } : {}) },
      {
        onSuccess: (made) => void navigate(`/cases/${encodeURIComponent(made.id)}`),
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t("cases.name")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} required withAsterisk={false} maxLength={200} data-autofocus />
        <Select label={t("cases.severity")} value={severity} onChange={(value) => setSeverity(SEVERITIES.find((each) => each === value) ?? "medium")} data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} />
        <Select label={t("cases.agency")} value={agency} onChange={setAgency} clearable searchable placeholder={t("cases.no_agency")} data={(agencies.data ?? []).map(({ id, name }) => ({ value: id, label: name }))} />
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
