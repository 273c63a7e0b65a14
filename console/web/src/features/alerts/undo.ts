// Taking back the last decision: offered beside the message that says what was done, and by a key.
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { phrase } from "../../api/phrases";
import { count } from "../../ui/format";
import { notify, notifyFailure, notifyWith } from "../../ui/notify";
import { useUndo } from "./queries";

export interface Undo {
  /** Says what was done and offers to take it back. */
  offer: (message: string, act: string | null | undefined) => void;
  /** Takes back the last decision of this page. */
  last: () => void;
}

export function useUndoOffer(onUndone: () => void): Undo {
  const { t, i18n } = useTranslation();
  const undo = useUndo();
  const newest = useRef<string | null>(null);
  const run = (act: string) =>
    undo.mutate(act, {
      onSuccess: ({ restored }) => {
        if (newest.current === act) newest.current = null;
        notify(t("alerts.undone", { number: count(restored) }));
        onUndone();
      },
      onError: (error) => notifyFailure(t("ui.not_done"), phrase(i18n.language, error.message) || t("ui.unreachable")),
    });
  return {
    offer: (message, act) => {
      if (act === null || act === undefined) {
        notify(message);
        return;
      }
      newest.current = act;
      notifyWith(message, t("alerts.undo"), () => run(act));
    },
    last: () => {
      if (newest.current === null) notify(t("alerts.nothing_to_undo"));
      else run(newest.current);
    },
  };
}
