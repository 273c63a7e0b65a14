// One recipient: what kind it is, and which one.
import { Select, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { NoticeTarget } from "../../api/types";
import { useAddresses, useChannels, useRosterNames } from "./queries";

const KINDS = ["user", "roster", "address", "configured", "webhook"] as const;
const ON_LADDERS: readonly string[] = ["user", "roster", "webhook"];

interface Props {
  target: NoticeTarget;
  ladder?: boolean;
  onChange: (target: NoticeTarget) => void;
}

export function TargetInput({ target, ladder = false, onChange }: Props) {
  const { t } = useTranslation();
  const choices = useChoices();
  const kinds = KINDS.filter((kind) => !ladder || ON_LADDERS.includes(kind));
  const { kind, value = "" } = target;
  return (
    <>
      <Select
        label={t("notices.target_kind")}
        value={kind}
        data={kinds.map((each) => ({ value: each, label: t(`notices.target.${each}`) }))}
        onChange={(next) => onChange({ kind: kinds.find((each) => each === next) ?? "user", value: "" })}
      />
      {kind === "address" ? (
        <TextInput label={t("notices.target_value")} type="email" value={value} onChange={(event) => onChange({ kind, value: event.currentTarget.value })} />
      ) : kind === "configured" ? (
        <span />
      ) : (
        <Select label={t("notices.target_value")} searchable limit={100} value={value || null} data={choices[kind]} onChange={(next) => onChange({ kind, value: next ?? "" })} />
      )}
    </>
  );
}

function useChoices() {
  const { t } = useTranslation();
  const people = useAddresses();
  const rosters = useRosterNames();
  const channels = useChannels();
  return {
    user: (people.data?.items ?? []).map(({ user, mail }) => ({ value: user.id, label: mail ? user.display_name : `${user.display_name} (${t("notices.problem.no_address")})` })),
    roster: (rosters.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
    webhook: (channels.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
  };
}
