// The menu entry that every value has: look for it everywhere.
import { IconZoomScan } from "@tabler/icons-react";
import type { TFunction } from "i18next";
import { term } from "../api/query";
import type { ValueAction } from "../ui/Value";

export function huntAction(t: TFunction, go: (to: string) => void): ValueAction {
  return {
    key: "hunt",
    label: t("hunt.value"),
    icon: <IconZoomScan size={15} />,
    run: (field, value) => go(`/hunt?${new URLSearchParams({ q: term(field, value) }).toString()}`),
  };
}
