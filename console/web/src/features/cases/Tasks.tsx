// What is to be done in a case: tasks with somebody and a time, checklists; what is overdue first.
import { Badge, Button, Checkbox, Group, Menu, Select, Stack, TextInput } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconAlarm, IconCalendar, IconChevronDown, IconPlus, IconUser } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useCaller } from "../../api/session";
import { useColleagues } from "../../api/shared";
import type { CaseDetail, ChangeTask, Task } from "../../api/types";
import { count } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Time } from "../../ui/Time";
import { fromPicker, toPicker } from "../../ui/moments";
import { useCaseAction, useCaseData } from "./queries";
import styles from "./Case.module.css";

/** Open before done; overdue and due before the others. */
function order(a: Task, b: Task): number {
  const open = Number(a.state !== "open") - Number(b.state !== "open");
  if (open !== 0) return open;
  return (a.due_at ?? "9").localeCompare(b.due_at ?? "9");
}

export function Tasks({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const todo = detail.tasks.filter((task) => !task.check).sort(order);
  const checks = detail.tasks.filter((task) => task.check);
  const done = todo.filter((task) => task.state !== "open").length;
  const ticked = checks.filter((task) => task.state !== "open").length;
  return (
    <>
      <Panel title={`${t("cases.tasks")} (${count(done)}/${count(todo.length)})`} aside={editable && <Template detail={detail} />} flush>
        {todo.length === 0 ? (
          <Empty title={t("cases.tasks_empty")}>{t("cases.tasks_empty_hint")}</Empty>
        ) : (
          <ul className={styles.tasks}>
            {todo.map((task) => (
              <TaskRow key={task.id} detail={detail} task={task} editable={editable} />
            ))}
          </ul>
        )}
        {editable && <NewTask detail={detail} />}
      </Panel>
      {checks.length > 0 && (
        <Panel title={`${t("cases.checklist")} (${count(ticked)}/${count(checks.length)})`}>
          <Stack gap={8}>
            {checks.map((task) => (
              <Check key={task.id} detail={detail} task={task} editable={editable} />
            ))}
          </Stack>
        </Panel>
      )}
    </>
  );
}

function useChangeTask(detail: CaseDetail, task: Task) {
  return useCaseAction(detail.id, (changes: Omit<ChangeTask, "version">) =>
    must(client.PATCH("/api/v1/cases/{id}/tasks/{task}", { params: { path: { id: detail.id, task: task.id } }, body: { ...changes, version: task.version } })),
  );
}

function Check({ detail, task, editable }: { detail: CaseDetail; task: Task; editable: boolean }) {
  const change = useChangeTask(detail, task);
  const by = task.done_by && task.done_at && (
    <>
      {task.done_by.display_name} · <Time at={task.done_at} style="full" />
    </>
  );
  return <Checkbox label={task.title} description={by} checked={task.state === "done"} disabled={!editable || change.isPending} onChange={(event) => change.mutate({ state: event.currentTarget.checked ? "done" : "open" })} />;
}

function TaskRow({ detail, task, editable }: { detail: CaseDetail; task: Task; editable: boolean }) {
  const { t } = useTranslation();
  const { name } = useCaseData();
  const change = useChangeTask(detail, task);
  const [timing, setTiming] = useState(false);
  const open = task.state === "open";
  return (
    <li data-state={task.overdue ? "overdue" : task.state}>
      <Checkbox aria-label={t("cases.task_done", { title: task.title })} checked={task.state === "done"} disabled={!editable || change.isPending} onChange={(event) => change.mutate({ state: event.currentTarget.checked ? "done" : "open" })} />
      <div className={styles.grow}>
        <div className={styles.taskTitle}>{task.title}</div>
        {task.detail && <div className="dim">{task.detail}</div>}
        <div className={styles.taskFacts}>
          {task.phase && <span>{name(task.phase)}</span>}
          {task.done_at && task.done_by && (
            <span>
              {t(task.state === "dropped" ? "cases.task_dropped_by" : "cases.task_done_by", { name: task.done_by.display_name })} <Time at={task.done_at} style="full" />
            </span>
          )}
        </div>
        {timing && (
          <DateTimePicker size="xs" mt={6} maw={240} aria-label={t("cases.due")} valueFormat="DD/MM/YYYY HH:mm" clearable value={toPicker(task.due_at)} onChange={(value) => change.mutate({ due_at: value ? fromPicker(value) : "" }, { onSuccess: () => setTiming(false) })} />
        )}
      </div>
      {open && task.due_at && (
        <Badge variant={task.overdue ? "filled" : "default"} color={task.overdue ? "red" : "gray"} tt="none" fw={500} radius="sm" leftSection={task.overdue ? <IconAlarm size={12} /> : <IconCalendar size={12} />} className={styles.due}>
          {task.overdue ? t("cases.overdue") : ""} <Time at={task.due_at} />
        </Badge>
      )}
      <Assignee detail={detail} task={task} editable={editable && open} onGive={(assignee_id) => change.mutate({ assignee_id })} />
      {editable && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-xs" variant="subtle" color="gray" aria-label={`${t("cases.more")}: ${task.title}`}>
              <IconChevronDown size={14} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setTiming(!timing)}>{t("cases.due_change")}</Menu.Item>
            <Menu.Item onClick={() => change.mutate({ state: task.state === "dropped" ? "open" : "dropped" })}>{task.state === "dropped" ? t("cases.task_reopen") : t("cases.task_drop")}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </li>
  );
}

function Assignee({ detail, task, editable, onGive }: { detail: CaseDetail; task: Task; editable: boolean; onGive: (id: string) => void }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const people = useColleagues(editable);
  const shown = task.assignee?.display_name ?? t("cases.nobody");
  if (!editable) return <span className={task.assignee ? undefined : "dim"}>{shown}</span>;
  const allowed = (people.data ?? []).filter((user) => !detail.restricted || detail.members.some((member) => member.id === user.id));
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="compact-xs" variant="default" leftSection={<IconUser size={13} />} aria-label={t("cases.assign", { title: task.title, name: shown })}>
          {shown}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: "auto" }}>
        {allowed.map((user) => (
          <Menu.Item key={user.id} onClick={() => onGive(user.id)}>
            {user.display_name}
            {user.id === caller.id && <span className="dim"> ({t("cases.self")})</span>}
          </Menu.Item>
        ))}
        {task.assignee && <Menu.Item onClick={() => onGive("")}>{t("cases.nobody")}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

function NewTask({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const people = useColleagues();
  const [title, setTitle] = useState("");
  const [assignee, setAssignee] = useState<string | null>(null);
  const [due, setDue] = useState<string | null>(null);
  const add = useCaseAction(detail.id, () =>
    must(
      client.POST("/api/v1/cases/{id}/tasks", {
        params: { path: { id: detail.id } },
        body: { title: title.trim(), check: false, ...(assignee ? { assignee_id: assignee } : {}), ...(due ? { due_at: fromPicker(due) } : {}) },
      }),
    ),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(undefined, {
      onSuccess: () => {
        setTitle("");
        setAssignee(null);
        setDue(null);
      },
    });
  };
  return (
    <form onSubmit={submit} className={`${styles.newTask} no-print`}>
      <TextInput size="xs" aria-label={t("cases.task_new")} placeholder={t("cases.task_new")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={200} className={styles.grow} />
      <Select size="xs" w={180} aria-label={t("cases.assignee")} placeholder={t("cases.assignee")} searchable clearable value={assignee} onChange={setAssignee} data={(people.data ?? []).map((user) => ({ value: user.id, label: user.display_name }))} />
      <DateTimePicker size="xs" w={180} aria-label={t("cases.due")} placeholder={t("cases.due")} valueFormat="DD/MM/YYYY HH:mm" clearable value={due} onChange={setDue} />
      <Button size="xs" type="submit" leftSection={<IconPlus size={14} />} loading={add.isPending} disabled={title.trim() === ""}>
        {t("cases.task_add")}
      </Button>
    </form>
  );
}

function Template({ detail }: { detail: CaseDetail }) {
  const { t } = useTranslation();
  const { data, named } = useCaseData();
  const apply = useCaseAction(detail.id, (template: string) => must(client.POST("/api/v1/cases/{id}/template", { params: { path: { id: detail.id } }, body: { template } })));
  return (
    <Group gap={8} className="no-print">
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="compact-xs" variant="subtle" loading={apply.isPending} rightSection={<IconChevronDown size={13} />}>
            {t("cases.template_add")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label maw={320}>{data.templates_citation}</Menu.Label>
          {data.templates.map((template) => (
            <Menu.Item key={template.id} onClick={() => apply.mutate(template.id, { onSuccess: () => notify(t("cases.template_added", { name: named(template) })) })}>
              {named(template)} <span className="dim">({count(template.tasks.length)})</span>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
