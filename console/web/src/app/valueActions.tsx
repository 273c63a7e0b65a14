// The menu entries that every value has, on every page: look for it everywhere, the alerts with it, note it in a case.
import { IconAlertTriangle, IconBriefcase, IconZoomScan } from "@tabler/icons-react";
import type { TFunction } from "i18next";
import { term } from "../api/query";
import type { ValueAction } from "../ui/Value";

interface Ways {
  go: (to: string) => void;
  /** Where the person works on cases. */
  toCase?: ((field: string, value: string) => void) | undefined;
}

/** The alerts that speak of a value: by address where it is one, else by their words. */
function alertsWith(field: string, value: string): string {
  const by = field === "ip" || field.endsWith(".ip") ? "ip" : field === "rule.id" ? "rule" : field === "organization.id" ? "agency" : field === "observer.name" ? "sensor" : "text";
  return `/alerts?${new URLSearchParams({ status: "all", [by]: value }).toString()}`;
}

export function valueActions(t: TFunction, { go, toCase }: Ways): ValueAction[] {
  const actions: ValueAction[] = [
    { key: "hunt", label: t("hunt.value"), icon: <IconZoomScan size={15} />, run: (field, value) => go(`/hunt?${new URLSearchParams({ q: term(field, value) }).toString()}`) },
    { key: "related", label: t("alerts.value.related"), icon: <IconAlertTriangle size={15} />, run: (field, value) => go(alertsWith(field, value)) },
  ];
  if (toCase) actions.push({ key: "case", label: t("alerts.value.to_case"), icon: <IconBriefcase size={15} />, run: toCase });
  return actions;
}
