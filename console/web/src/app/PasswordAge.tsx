// What every screen warns of some days before one's own password must be changed.
import { IconClockExclamation } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useSession } from "../api/session";
import { fullTime } from "../ui/format";
import styles from "./Conscience.module.css";

const DAY_MS = 86_400_000;

export function PasswordAge() {
  const { t } = useTranslation();
  const { password_ends_at: ends, must_change_password: must, profile } = useSession().data ?? {};
  if (ends === undefined || ends === null || profile === undefined || must) return null;
  if (Date.parse(ends) - Date.now() > profile.password_warn_days * DAY_MS) return null;
  return (
    <div className={styles.banner} data-tone="warn" role="status">
      <IconClockExclamation size={14} aria-hidden />
      <span>{t("account.password_ends", { time: fullTime(ends) })}</span>
      <Link to="/account">{t("account.password_change")}</Link>
    </div>
  );
}
