// Who answers for a case and who sees it, its marks, and the cases beside it.
import { Anchor, Button, Group, Modal, MultiSelect, Select, SegmentedControl, Stack, Switch, Text } from "@mantine/core";
import { IconArrowMerge, IconLink, IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { client, must } from "../../api/client";
import { useCaller } from "../../api/session";
import { useAgencies, useColleagues } from "../../api/shared";
import { CASE_STATUSES, SEVERITIES, type CaseDetail, type CaseRef, type Pap, type Priority, type Tlp } from "../../api/types";
import { count } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Time } from "../../ui/Time";
import { useCaseAction, useChangeCase } from "./queries";
import { StatusBadge } from "./StatusBadge";
import styles from "./Case.module.css";

const TLPS: readonly Tlp[] = ["red", "amber_strict", "amber", "green", "clear"];
const PAPS: readonly Pap[] = ["red", "amber", "green", "clear"];
const PRIORITIES: readonly Priority[] = ["p1", "p2", "p3", "p4"];

export function Side({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const agencies = useAgencies();
  const people = useColleagues();
  const change = useChangeCase(detail);
  const frozen = !editable || Boolean(detail.facts.merged_into);
  const allowed = (people.data ?? []).filter((user) => !detail.restricted || detail.members.some((member) => member.id === user.id));
  const apply: typeof change.mutate = (changes, options) => change.mutate(changes, { ...options, onSuccess: () => notify(t("cases.saved")) });
  return (
    <Stack gap="sm">
      <Select label={t("cases.status")} value={detail.status} disabled={frozen} allowDeselect={false} data={CASE_STATUSES.map((value) => ({ value, label: t(`case_status.${value}`) }))} onChange={(value) => { const status = CASE_STATUSES.find((each) => each === value); if (status && status !== detail.status) apply({ status }); }} />
      <Select label={t("cases.leader")} value={detail.lead?.id ?? null} disabled={frozen} clearable searchable placeholder={t("cases.nobody")} data={allowed.map((user) => ({ value: user.id, label: user.display_name }))} onChange={(value) => apply({ lead_id: value ?? "" })} />
      <Group grow gap="xs" align="flex-start">
        <Select label={t("cases.severity")} value={detail.severity} disabled={frozen} allowDeselect={false} data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} onChange={(value) => { const severity = SEVERITIES.find((each) => each === value); if (severity && severity !== detail.severity) apply({ severity }); }} />
        <Select label={t("cases.priority")} value={detail.priority ?? null} disabled={frozen} clearable placeholder="—" data={PRIORITIES.map((value) => ({ value, label: t(`cases.priority_name.${value}`) }))} onChange={(value) => apply({ priority: value ?? "" })} />
      </Group>
      <Select label={t("cases.agency")} value={detail.agency?.id ?? null} disabled={frozen} clearable searchable placeholder={t("cases.no_agency")} data={agencyChoices(agencies.data ?? [], detail)} onChange={(value) => apply({ agency_id: value ?? "" })} />
      <Group grow gap="xs" align="flex-start">
        <Select label="TLP" description={t(`cases.tlp_hint.${detail.tlp}`)} inputWrapperOrder={["label", "input", "description"]} value={detail.tlp} disabled={frozen} allowDeselect={false} data={TLPS.map((value) => ({ value, label: value.replace("_", "+").toUpperCase() }))} onChange={(value) => { const tlp = TLPS.find((each) => each === value); if (tlp && tlp !== detail.tlp) apply({ tlp }); }} />
        <Select label="PAP" description={t(`cases.pap_hint.${detail.facts.pap}`)} inputWrapperOrder={["label", "input", "description"]} value={detail.facts.pap} disabled={frozen} allowDeselect={false} data={PAPS.map((value) => ({ value, label: value.toUpperCase() }))} onChange={(value) => { const pap = PAPS.find((each) => each === value); if (pap && pap !== detail.facts.pap) apply({ pap }); }} />
      </Group>
      <Access detail={detail} editable={!frozen && detail.status !== "closed"} />
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
      <Beside detail={detail} editable={!frozen && detail.status !== "closed"} />
    </Stack>
  );
}

/** The agency of the case stays choosable when the collector does not know it any more. */
function agencyChoices(known: readonly { id: string; name: string }[], { agency }: CaseDetail) {
  const choices = known.map(({ id, name }) => ({ value: id, label: name }));
  if (agency && !choices.some(({ value }) => value === agency.id)) choices.push({ value: agency.id, label: agency.name });
  return choices;
}

function Access({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <div>
      <div className={styles.access}>
        <IconLock size={15} aria-hidden className={detail.restricted ? styles.locked : "dim"} />
        <span className={styles.grow}>{detail.restricted ? t("cases.seen_by", { names: detail.members.map((person) => person.display_name).join(", ") }) : t("cases.seen_by_all")}</span>
        {editable && (
          <Button size="compact-xs" variant="subtle" className="no-print" onClick={() => setOpened(true)}>
            {t("cases.edit")}
          </Button>
        )}
      </div>
      <Modal opened={opened} onClose={() => setOpened(false)} title={t("cases.access")}>
        <AccessForm detail={detail} onDone={() => setOpened(false)} />
      </Modal>
    </div>
  );
}

function AccessForm({ detail, onDone }: { detail: CaseDetail; onDone: () => void }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const users = useQuery({ queryKey: ["users"], queryFn: async () => (await must(client.GET("/api/v1/users"))).items });
  const [restricted, setRestricted] = useState(detail.restricted);
  const [names, setNames] = useState<string[]>(detail.members.map((person) => person.id).filter((id) => id !== caller.id));
  const save = useCaseAction(detail.id, () => must(client.PUT("/api/v1/cases/{id}/access", { params: { path: { id: detail.id } }, body: { restricted, user_ids: names, version: detail.version } })));
  const choices = (users.data ?? []).filter((user) => user.role !== "agency" && !user.disabled && user.id !== caller.id);
  return (
    <Stack gap="sm">
      <Switch label={t("cases.restrict")} description={t("cases.restrict_hint")} checked={restricted} onChange={(event) => setRestricted(event.currentTarget.checked)} />
      {restricted && <MultiSelect label={t("cases.members")} description={t("cases.members_hint")} searchable value={names} onChange={setNames} data={choices.map((user) => ({ value: user.id, label: `${user.display_name} (${t(`role.${user.role}`)})` }))} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button loading={save.isPending} onClick={() => save.mutate(undefined, { onSuccess: () => (notify(t("cases.saved")), onDone()) })}>
          {t("ui.save")}
        </Button>
      </Group>
    </Stack>
  );
}

function Beside({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const similar = useQuery({ queryKey: ["case", detail.id, "similar"], queryFn: async () => (await must(client.GET("/api/v1/cases/{id}/similar", { params: { path: { id: detail.id } } }))).items, staleTime: 60_000 });
  const others = (similar.data ?? []).filter((one) => !detail.links.some((link) => link.id === one.id)).slice(0, 5);
  const unlink = useCaseAction(detail.id, (other: string) => must(client.DELETE("/api/v1/cases/{id}/links/{other}", { params: { path: { id: detail.id, other } } })));
  return (
    <div>
      <div className={styles.sideHead}>
        <h2>{t("cases.links")}</h2>
        {editable && (
          <Button size="compact-xs" variant="subtle" className="no-print" onClick={() => setOpened(true)}>
            {t("cases.link_add")}
          </Button>
        )}
      </div>
      {detail.links.length === 0 && <span className="dim">{t("cases.links_empty")}</span>}
      <ul className={styles.refs}>
        {detail.links.map((one) => (
          <Ref key={one.id} case={one}>
            {editable && (
              <Button size="compact-xs" variant="subtle" color="gray" className="no-print" aria-label={`${t("ui.remove")}: #${one.number}`} onClick={() => unlink.mutate(one.id)}>
                {t("ui.remove")}
              </Button>
            )}
          </Ref>
        ))}
      </ul>
      {others.length > 0 && (
        <>
          <div className={styles.sideHead}>
            <h2>{t("cases.similar")}</h2>
          </div>
          <ul className={styles.refs}>
            {others.map((one) => (
              <Ref key={one.id} case={one}>
                <span className="dim">{t("cases.shares", { observables: count(one.shared_observables ?? 0), rules: count(one.shared_rules ?? 0) })}</span>
              </Ref>
            ))}
          </ul>
        </>
      )}
      <Modal opened={opened} onClose={() => setOpened(false)} title={t("cases.link_add")}>
        <LinkForm detail={detail} onDone={() => setOpened(false)} />
      </Modal>
    </div>
  );
}

function Ref({ case: one, children }: { case: CaseRef; children?: React.ReactNode }) {
  return (
    <li>
      <Anchor component={Link} size="sm" to={`/cases/${encodeURIComponent(one.id)}`}>
        #{one.number} {one.title}
      </Anchor>
      <div className={styles.refFacts}>
        <StatusBadge status={one.status} /> {children}
      </div>
    </li>
  );
}

function LinkForm({ detail, onDone }: { detail: CaseDetail; onDone: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [how, setHow] = useState("link");
  const [other, setOther] = useState<string | null>(null);
  const cases = useQuery({ queryKey: ["cases", "active"], queryFn: async () => (await must(client.GET("/api/v1/cases", { params: { query: { status: "active", limit: 200 } } }))).items });
  const path = { id: detail.id };
  const link = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/links", { params: { path }, body: { case_id: other ?? "" } })));
  const merge = useCaseAction(detail.id, () => must(client.POST("/api/v1/cases/{id}/merge", { params: { path }, body: { into: other ?? "", version: detail.version } })));
  const go = () =>
    how === "link"
      ? link.mutate(undefined, { onSuccess: onDone })
      : merge.mutate(undefined, {
          onSuccess: (target) => {
            notify(t("cases.merged", { number: target.number }));
            onDone();
            void navigate(`/cases/${encodeURIComponent(target.id)}`);
          },
        });
  return (
    <Stack gap="sm">
      <SegmentedControl
        value={how}
        onChange={setHow}
        data={[
          { value: "link", label: t("cases.link") },
          { value: "merge", label: t("cases.merge") },
        ]}
      />
      <Text size="sm" c="dimmed">
        {t(how === "link" ? "cases.link_hint" : "cases.merge_hint")}
      </Text>
      <Select label={t("cases.other_case")} searchable value={other} onChange={setOther} data={(cases.data ?? []).filter((one) => one.id !== detail.id).map((one) => ({ value: one.id, label: `#${one.number} ${one.title}` }))} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button color={how === "merge" ? "red" : undefined} leftSection={how === "merge" ? <IconArrowMerge size={15} /> : <IconLink size={15} />} disabled={other === null} loading={link.isPending || merge.isPending} onClick={go}>
          {t(how === "link" ? "cases.link" : "cases.merge")}
        </Button>
      </Group>
    </Stack>
  );
}
