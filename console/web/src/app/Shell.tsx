// The frame: the bar at the top with the sections, the conscience, language, theme and account; pages below.
import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { IconChevronDown, IconLogout, IconMoon, IconShieldLock, IconSun, IconUserCircle } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, useLocation, useNavigate } from "react-router";
import { holdLive } from "../api/live";
import { permissions, useLogOut, useSession } from "../api/session";
import { Relogin } from "../features/session/Relogin";
import { Mark } from "../ui/Mark";
import { ValueActions } from "../ui/Value";
import { ConscienceBanner, ConsciencePill, useConscience } from "./Conscience";
import { ErrorBoundary } from "./ErrorBoundary";
import { HandoverWaiting } from "./HandoverWaiting";
import { Inbox } from "./Inbox";
import { NoticeAlarms } from "./NoticeAlarms";
import { PasswordAge } from "./PasswordAge";
import { useSettings } from "./settings";
import { valueActions } from "./valueActions";
import { ValueToCase, type FieldValue } from "./ValueToCase";
import styles from "./Shell.module.css";

const SECTIONS = ["overview", "alerts", "hunt", "cases", "agencies", "sensors", "rules", "reports"] as const;
/** Sections about everything, for those who reach everything. */
const WHOLE_ONLY: readonly string[] = ["overview", "sensors", "reports"];

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const { user } = useSettings();
  const location = useLocation();
  const navigate = useNavigate();
  const session = useSession();
  const enrols = session.data?.must_enrol === true || session.data?.must_change_password === true;
  const reads = permissions(user.role).read && !enrols;
  useEffect(() => (reads ? holdLive() : undefined), [reads]);
  const works = permissions(user.role).cases && !enrols;
  const narrow = user.agency_id !== undefined;
  const [noting, setNoting] = useState<FieldValue | null>(null);
  const actions = useMemo(
    () => valueActions(t, { go: (to) => void navigate(to), toCase: works ? (field, value) => setNoting({ field, value }) : undefined }),
    [t, navigate, works],
  );

  return (
    <ValueActions actions={actions}>
      <div className={styles.shell}>
        <a className={styles.skip} href="#content">
          {t("nav.skip")}
        </a>
        <header className={styles.header}>
          <Link to={permissions(user.role).answers ? "/assigned" : "/alerts"} className={styles.brand} aria-label="Lũy Tre">
            <Mark size={20} />
            <span>Lũy Tre</span>
          </Link>
          <Sections />
          <div className={styles.right}>
            {reads && <Watch part="pill" />}
            {reads && <Inbox />}
            <Preferences />
          </div>
        </header>
        {reads && <Watch part="banner" />}
        {reads && <NoticeAlarms />}
        {works && !narrow && <HandoverWaiting />}
        <PasswordAge />
        <div id="content" className={styles.content}>
          <ErrorBoundary key={location.pathname}>{children}</ErrorBoundary>
        </div>
      </div>
      <ValueToCase what={noting} onClose={() => setNoting(null)} />
      <Relogin />
    </ValueActions>
  );
}

/** The conscience is for those who may read the counters. */
function Watch({ part }: { part: "pill" | "banner" }) {
  const state = useConscience();
  return part === "pill" ? <ConsciencePill state={state} /> : <ConscienceBanner state={state} />;
}

function Sections() {
  const { t } = useTranslation();
  const { user } = useSettings();
  const may = permissions(user.role);
  // Who looks after one agency is not offered what is about everybody.
  const narrow = user.agency_id !== undefined;
  const sections = SECTIONS.filter((section) => !(narrow && WHOLE_ONLY.includes(section)));
  const { pathname } = useLocation();
  const more = [
    { to: "/users", label: t("nav.users"), shown: may.admin },
    { to: "/audit", label: t("nav.audit"), shown: may.audit && !narrow },
    { to: "/suppressions", label: t("nav.suppressions"), shown: may.read },
    { to: "/notices", label: t("nav.notices"), shown: may.read && !narrow },
    { to: "/rosters", label: t("nav.rosters"), shown: may.read && !narrow },
    { to: "/handover", label: t("nav.handover"), shown: may.read && !narrow },
  ].filter((entry) => entry.shown);
  const inMore = more.some((entry) => pathname.startsWith(entry.to));
  // On a small screen the sections scroll sideways: the one that is open stays in sight.
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    void nav.current?.querySelector(`.${styles.active}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [pathname]);
  return (
    <nav ref={nav} className={styles.nav} aria-label={t("nav.label")}>
      {may.read &&
        sections.map((section) => (
          <NavLink key={section} to={`/${section}`} className={({ isActive }) => `${styles.link} ${isActive ? styles.active : ""}`}>
            {t(`nav.${section}`)}
          </NavLink>
        ))}
      {may.answers && (
        <NavLink to="/assigned" className={({ isActive }) => `${styles.link} ${isActive ? styles.active : ""}`}>
          {t("nav.work")}
        </NavLink>
      )}
      {more.length > 0 && (
        <Menu position="bottom-start">
          <Menu.Target>
            <button type="button" className={`${styles.link} ${inMore ? styles.active : ""}`}>
              {t("nav.admin")}
              <IconChevronDown size={13} aria-hidden />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            {more.map((entry) => (
              <Menu.Item key={entry.to} component={Link} to={entry.to}>
                {entry.label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </nav>
  );
}

function Preferences() {
  const { t, i18n } = useTranslation();
  const { user, version, toggleLanguage, toggleTheme } = useSettings();
  const logOut = useLogOut();
  const dark = user.theme === "dark";
  return (
    <>
      <Tooltip label={t("nav.language_label")}>
        <button type="button" className={styles.lang} onClick={toggleLanguage}>
          {i18n.language === "vi" ? "VI" : "EN"}
          <span className="visually-hidden"> {t("nav.language_label")}</span>
        </button>
      </Tooltip>
      <Tooltip label={dark ? t("nav.to_light") : t("nav.to_dark")}>
        <ActionIcon variant="subtle" color="gray" onClick={toggleTheme} aria-label={dark ? t("nav.to_light") : t("nav.to_dark")}>
          {dark ? <IconSun size={17} /> : <IconMoon size={17} />}
        </ActionIcon>
      </Tooltip>
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t("nav.account")}>
            <IconUserCircle size={19} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <b className={styles.who}>{user.display_name}</b>
            {user.name} · {t(`role.${user.role}`)}
          </Menu.Label>
          <Menu.Item leftSection={<IconShieldLock size={15} />} component={Link} to="/account">
            {t("account.title")}
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => logOut.mutate()}>
            {t("nav.log_out")}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Label>{t("nav.version", { version })}</Menu.Label>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
