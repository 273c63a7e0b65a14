// Small lists that several pages need.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "./client";
import type { CatalogueField } from "./types";

const MINUTES = 60_000;

export function useAgencies() {
  return useQuery({
    queryKey: ["agencies"],
    queryFn: async () => (await must(client.GET("/api/v1/agencies"))).items,
    staleTime: 10 * MINUTES,
  });
}

/** People who may be given work: those who work on alerts and are not shut out. */
export function useColleagues(enabled = true) {
  return useQuery({
    queryKey: ["users"],
    queryFn: async () => (await must(client.GET("/api/v1/users"))).items,
    select: (users) => users.filter(({ role, disabled }) => !disabled && (role === "analyst" || role === "manager" || role === "admin")),
    staleTime: MINUTES,
    enabled,
  });
}

export function useSensors() {
  return useQuery({
    queryKey: ["sensors"],
    queryFn: async () => (await must(client.GET("/api/v1/sensors"))).items,
    refetchInterval: 15_000,
  });
}

/** The name of a rule in the language of the page, by its id; the id itself while the rules are not loaded. */
export function useRuleNames(): (id: string) => string {
  const { i18n } = useTranslation();
  const rules = useRules();
  const names = new Map((rules.data?.rules ?? []).map(({ rule }) => [rule.id, (i18n.language === "vi" && rule.name_vi) || rule.name]));
  return (id) => names.get(id) ?? id;
}

interface Causes {
  false_positives: readonly string[];
  false_positives_vi?: readonly string[];
}

/** A rule's known harmless causes in the language of the page. */
export function useCauses({ false_positives, false_positives_vi = [] }: Causes): readonly string[] {
  const { i18n } = useTranslation();
  return i18n.language === "vi" && false_positives_vi.length > 0 ? false_positives_vi : false_positives;
}

export function useRules() {
  return useQuery({ queryKey: ["rules"], queryFn: () => must(client.GET("/api/v1/rules")), staleTime: MINUTES });
}

function isField(value: unknown): value is CatalogueField {
  return typeof value === "object" && value !== null && "name" in value && "kind" in value;
}

/** Every field that can be searched, by name. */
export function useCatalogue() {
  return useQuery({
    queryKey: ["catalogue"],
    queryFn: async (): Promise<CatalogueField[]> => {
      const answer: unknown = await must(client.GET("/api/v1/search/catalogue"));
      if (typeof answer !== "object" || answer === null || !("fields" in answer) || !Array.isArray(answer.fields)) return [];
      return answer.fields.filter(isField);
    },
    staleTime: 10 * MINUTES,
  });
}
