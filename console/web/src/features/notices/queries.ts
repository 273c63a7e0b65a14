// What the pages of notices ask and change.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { hear } from "../../api/live";
import type { LadderStep, NoticeRuleBody, NoticeTarget, SaveNoticeChannel, TargetProblem, TestAnswer } from "../../api/types";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";

const ROOT = "notices";
const LIMIT = 200;

/** Everything of notices is loaded again when the server says that something of it changed. */
export function useFreshNotices() {
  const queries = useQueryClient();
  useEffect(() => hear("notices_changed", () => void queries.invalidateQueries({ queryKey: [ROOT] })), [queries]);
}

export function useNotices() {
  return useQuery({ queryKey: [ROOT, "sent"], queryFn: () => must(client.GET("/api/v1/notices", { params: { query: { limit: LIMIT } } })), refetchInterval: 15_000 });
}

export function useEscalations() {
  return useQuery({ queryKey: [ROOT, "escalations"], queryFn: () => must(client.GET("/api/v1/escalations")), refetchInterval: 15_000 });
}

export function useNoticeRules() {
  return useQuery({ queryKey: [ROOT, "rules"], queryFn: () => must(client.GET("/api/v1/notice-rules")) });
}

export function useChannels() {
  return useQuery({ queryKey: [ROOT, "channels"], queryFn: () => must(client.GET("/api/v1/notice-channels")), refetchInterval: 15_000 });
}

export function useAddresses() {
  return useQuery({ queryKey: [ROOT, "addresses"], queryFn: () => must(client.GET("/api/v1/notice-addresses")) });
}

export function useRosterNames() {
  return useQuery({ queryKey: ["rosters"], queryFn: () => must(client.GET("/api/v1/rosters")) });
}

export function usePreview(template: string, lang: "vi" | "en", shape: string) {
  return useQuery({
    queryKey: [ROOT, "preview", template, lang, shape],
    queryFn: () => must(client.GET("/api/v1/notice-preview", { params: { query: { template, lang, shape } } })),
  });
}

/** A change that says when it was not done, and has everything of notices loaded again. */
export function useNoticeChange<Input, Output>(change: (input: Input) => Promise<Output>, done?: (output: Output) => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (output) => {
      void queries.invalidateQueries({ queryKey: [ROOT] });
      done?.(output);
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
}

/** What came of a test, for people. */
export function useTested() {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (answer: TestAnswer) => {
    if (answer.queued > 0) notify(t("notices.tested", { number: count(answer.queued) }));
    else notifyFailure(t("ui.not_done"), t("notices.tested_none", { why: answer.problems.map(words).join("; ") }));
  };
}

/** The name of a recipient as people know it. */
export function useTargetNames() {
  const { t } = useTranslation();
  const people = useAddresses();
  const rosters = useRosterNames();
  const channels = useChannels();
  return ({ kind, value = "" }: NoticeTarget): string => {
    if (kind === "configured") return t("notices.target.configured");
    if (kind === "address") return value;
    if (kind === "user") return people.data?.items.find(({ user }) => user.id === value)?.user.display_name ?? value;
    if (kind === "roster") return `${t("notices.target.roster")} ${rosters.data?.items.find(({ id }) => id === value)?.name ?? value}`;
    return channels.data?.items.find(({ id }) => id === value)?.name ?? value;
  };
}

const PROBLEMS = ["gone", "disabled", "no_address", "nobody_on_call", "no_mail_server", "unwritten"] as const;

export function useProblem() {
  const { t } = useTranslation();
  return (problem: string): string => {
    const known = PROBLEMS.find((each) => each === problem);
    return known ? t(`notices.problem.${known}`) : problem;
  };
}

export function useProblemWords() {
  const name = useTargetNames();
  const words = useProblem();
  return ({ target, problem }: TargetProblem): string => `${name(target)}: ${words(problem)}`;
}

export const newRule: NoticeRuleBody = { name: "", enabled: true, severity: "high", rules: [], agencies: [], days: [], targets: [{ kind: "configured", value: "" }], rhythm: "at_once", ladder: [] };
export const newStep: LadderStep = { target: { kind: "user", value: "" }, wait_minutes: 10 };
export const newChannel: SaveNoticeChannel = { name: "", shape: "json", url: "", recipient: "", language: "vi", enabled: true, version: 0 };
