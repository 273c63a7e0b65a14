// One alert as a page of its own: the same evidence below each other, the decision beside it.
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconArrowLeft } from "@tabler/icons-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { usePermissions } from "../../api/session";
import { usePageTitle } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { Decision, type DecisionHandle } from "./Decision";
import { useDraft } from "./drafts";
import { EscalateDialog } from "./EscalateDialog";
import { EvidencePage } from "./Evidence";
import { KeysHelp } from "./KeysHelp";
import { useAlert } from "./queries";
import { useRuleName } from "./ruleName";
import { SuppressDialog } from "./SuppressDialog";
import { useUndoOffer } from "./undo";
import styles from "./AlertsPage.module.css";

export default function AlertPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const may = usePermissions();
  const ruleName = useRuleName();
  const alert = useAlert(id);
  const draft = useDraft(id);
  const [escalating, escalation] = useDisclosure(false);
  const [suppressing, suppression] = useDisclosure(false);
  const undo = useUndoOffer(() => undefined);
  const [help, helpDialog] = useDisclosure(false);
  const decision = useRef<DecisionHandle>(null);
  usePageTitle(alert.data ? ruleName(alert.data.alert.rule) : t("alerts.title"));

  useHotkeys([
    ["c", () => decision.current?.focusClose()],
    ["r", () => decision.current?.reopen()],
    ["a", () => decision.current?.assign()],
    ["e", () => may.triage && alert.data?.triage.status === "open" && escalation.open()],
    ["s", () => may.triage && alert.data?.triage.status === "open" && suppression.open()],
    ["w", () => may.triage && decision.current?.watch()],
    ["m", () => may.triage && decision.current?.note()],
    ["z", () => may.triage && undo.last()],
    ["shift+?", helpDialog.open],
    ["?", helpDialog.open],
  ]);

  if (alert.isPending) return <SkeletonRows rows={10} height={44} />;
  if (alert.isError) return <Failed error={alert.error} retry={() => void alert.refetch()} />;
  return (
    <main className={styles.full}>
      <div className={styles.scroll}>
        <div className={styles.inner}>
          <Link to="/alerts" className={styles.back}>
            <IconArrowLeft size={14} aria-hidden />
            {t("alerts.back")}
          </Link>
          <EvidencePage detail={alert.data} onUse={(reason) => draft.change({ reason })} />
        </div>
      </div>
      <Decision detail={alert.data} undo={undo} handle={decision} onEscalate={escalation.open} onSuppress={suppression.open} />
      <SuppressDialog detail={alert.data} undo={undo} opened={suppressing} onClose={suppression.close} onDone={() => undefined} />
      <EscalateDialog detail={alert.data} undo={undo} opened={escalating} onClose={escalation.close} onDone={() => undefined} />
      <KeysHelp opened={help} onClose={helpDialog.close} />
    </main>
  );
}
