// Notice rules: who is told of which alerts, when, by which rhythm, and who is called in which order.
import { Button, Group, Modal, Text } from "@mantine/core";
import { IconBellPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import { useAgencies, useRuleNames } from "../../api/shared";
import type { NoticeRule, NoticeRuleBody } from "../../api/types";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { DAYS, RuleForm } from "./RuleForm";
import { newRule, useNoticeChange, useNoticeRules, useProblemWords, useTargetNames, useTested } from "./queries";
import styles from "./Notices.module.css";

type Editing = { id?: string; version: number; rule: NoticeRuleBody };

export function Rules() {
  const { t } = useTranslation();
  const may = usePermissions();
  const list = useNoticeRules();
  const [editing, setEditing] = useState<Editing | null>(null);
  const [doomed, setDoomed] = useState<NoticeRule | null>(null);
  const remove = useNoticeChange(
    (id: string) => must(client.DELETE("/api/v1/notice-rules/{id}", { params: { path: { id } } })),
    () => {
      notify(t("notices.rule.deleted"));
      setDoomed(null);
    },
  );
  if (list.isPending) return <SkeletonRows rows={4} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  const add = may.admin && (
    <Button size="xs" onClick={() => setEditing({ version: 0, rule: newRule })}>
      {t("notices.rule.add")}
    </Button>
  );
  return (
    <>
      {!list.data.mail && (
        <Text size="sm" mb="sm" className={styles.warn}>
          {t("notices.rule.no_mail")}
        </Text>
      )}
      <Panel title={t("notices.tabs.rules")} aside={add} flush>
        {list.data.items.length === 0 ? (
          <Empty icon={<IconBellPlus size={28} className="dim" />} title={t("notices.rule.none")}>
            {t("notices.rule.none_hint")}
          </Empty>
        ) : (
          <Rows rows={list.data.items} onEdit={({ id, version, rule }) => setEditing({ id, version, rule })} onDelete={setDoomed} />
        )}
      </Panel>
      <Modal opened={editing !== null} onClose={() => setEditing(null)} size="xl" title={editing?.id ? t("notices.rule.title_edit") : t("notices.rule.title_new")}>
        {editing && <RuleForm {...editing} onDone={() => setEditing(null)} />}
      </Modal>
      <Modal opened={doomed !== null} onClose={() => setDoomed(null)} title={doomed?.rule.name}>
        <Text size="sm">{t("notices.rule.delete_sure")}</Text>
        <Group justify="flex-end" gap="xs" mt="md">
          <Button variant="default" onClick={() => setDoomed(null)}>
            {t("ui.cancel")}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => doomed && remove.mutate(doomed.id)}>
            {t("notices.rule.delete")}
          </Button>
        </Group>
      </Modal>
    </>
  );
}

function useConditions() {
  const { t } = useTranslation();
  const ruleName = useRuleNames();
  const agencies = useAgencies();
  const agencyName = (id: string) => agencies.data?.find((agency) => agency.id === id)?.name ?? id;
  return ({ severity, rules = [], agencies: named = [], days = [], from, until }: NoticeRuleBody): string =>
    [
      t("notices.rule.from_severity", { severity: t(`severity.${severity}`).toLowerCase() }),
      rules.map(ruleName).join(", "),
      named.map(agencyName).join(", "),
      DAYS.filter((day) => days.includes(Number(day)))
        .map((day) => t(`notices.rule.day.${day}`))
        .join(" "),
      from && until ? t("notices.rule.hours", { from, until }) : "",
    ]
      .filter((part) => part !== "")
      .join(" · ");
}

function Rows({ rows, onEdit, onDelete }: { rows: readonly NoticeRule[]; onEdit: (rule: NoticeRule) => void; onDelete: (rule: NoticeRule) => void }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const conditions = useConditions();
  const name = useTargetNames();
  const problem = useProblemWords();
  const tested = useTested();
  const test = useNoticeChange((id: string) => must(client.POST("/api/v1/notice-rules/{id}/test", { params: { path: { id } } })), tested);
  const columns: ColumnDef<NoticeRule>[] = [
    {
      key: "name",
      title: t("notices.rule.name"),
      cell: ({ rule }) => (
        <>
          <Text size="sm" fw={500} component="span">
            {rule.name}
          </Text>
          {!rule.enabled && <div className="dim">{t("notices.rule.off")}</div>}
        </>
      ),
    },
    { key: "conditions", title: t("notices.rule.conditions"), cell: ({ rule }) => conditions(rule) },
    {
      key: "targets",
      title: t("notices.rule.targets"),
      cell: ({ rule, problems }) => (
        <>
          {(rule.targets ?? []).map(name).join(", ")}
          {(rule.ladder ?? []).length > 0 && (
            <ol className={styles.steps}>
              {(rule.ladder ?? []).map((step, at) => (
                <li key={at}>
                  {t("notices.rule.step", { number: at + 1 })}: {name(step.target)} <span className="dim">({step.wait_minutes} ph)</span>
                </li>
              ))}
            </ol>
          )}
          {problems.map((one, at) => (
            <div key={at} className={styles.warn}>
              {problem(one)}
            </div>
          ))}
        </>
      ),
    },
    { key: "rhythm", title: t("notices.rule.rhythm"), width: 170, cell: ({ rule }) => t(`notices.rule.rhythms.${rule.rhythm ?? "at_once"}`) },
    {
      key: "actions",
      title: "",
      align: "right",
      width: 260,
      cell: (rule) =>
        may.admin && (
          <Group gap={4} justify="flex-end" wrap="nowrap">
            <Button size="compact-xs" variant="default" onClick={() => test.mutate(rule.id)} loading={test.isPending && test.variables === rule.id}>
              {t("notices.test")}
            </Button>
            <Button size="compact-xs" variant="default" onClick={() => onEdit(rule)}>
              {t("notices.rule.edit")}
            </Button>
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => onDelete(rule)}>
              {t("notices.rule.delete")}
            </Button>
          </Group>
        ),
    },
  ];
  return <Table label={t("notices.tabs.rules")} columns={columns} rows={rows} rowKey={(rule) => rule.id} />;
}
