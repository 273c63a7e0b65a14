// What the menu of a value offers beside the queue: narrow it to the value, leave the value out, group by its field.
import { IconFilterMinus, IconListSearch, IconSum } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { ValueAction } from "../../ui/Value";
import type { By, useFilters } from "./filters";

type Kind = "ip" | "rule" | "agency" | "sensor";

/** What a field's values are to the queue. */
export function kindOf(field: string): Kind | undefined {
  if (field === "ip" || field.endsWith(".ip")) return "ip";
  if (field === "rule.id") return "rule";
  if (field === "organization.id") return "agency";
  return field === "observer.name" ? "sensor" : undefined;
}

/** The grouping that a field stands for. */
function groupingOf(field: string): By | undefined {
  if (field === "source.ip") return "source";
  if (field === "destination.ip") return "rule_host";
  if (field === "rule.id") return "rule";
  return field === "organization.id" ? "agency" : undefined;
}

const NOWHERE = { alert: undefined, group: undefined, open: undefined } as const;

export function useAlertValueActions({ filters, change }: ReturnType<typeof useFilters>): ValueAction[] {
  const { t } = useTranslation();
  return useMemo(
    () => [
      {
        key: "only",
        label: t("alerts.value.only"),
        icon: <IconListSearch size={15} />,
        run: (field, value) => change({ [kindOf(field) ?? "text"]: value, ...NOWHERE }, false),
      },
      {
        key: "exclude",
        label: t("alerts.value.exclude"),
        icon: <IconFilterMinus size={15} />,
        applies: (field) => kindOf(field) !== undefined,
        run: (field, value) => change({ not: [...new Set([...filters.not, `${kindOf(field) ?? ""}:${value}`])].join(","), ...NOWHERE }, false),
      },
      {
        key: "group",
        label: t("alerts.value.group"),
        icon: <IconSum size={15} />,
        applies: (field) => groupingOf(field) !== undefined,
        run: (field) => change({ by: groupingOf(field), ...NOWHERE }, false),
      },
    ],
    // change is as fresh as the filters it comes with
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [filters, t],
  );
}
