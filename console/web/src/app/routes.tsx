// Which address shows which page. A screen is a folder under `features/` and one line here.
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Route, Routes, useLocation } from "react-router";
import { failedWith } from "../api/client";
import { permissions, useSession } from "../api/session";
import AlertsPage from "../features/alerts/AlertsPage";
import { LoginPage } from "../features/session/LoginPage";
import { SetupPage } from "../features/session/SetupPage";
import { Empty, Failed, SkeletonRows } from "../ui/States";
import { setLanguage } from "./i18n";
import { Shell } from "./Shell";
import { useSettings } from "./settings";

const AgenciesPage = lazy(() => import("../features/agencies/AgenciesPage"));
const AlertPage = lazy(() => import("../features/alerts/AlertPage"));
const CasesPage = lazy(() => import("../features/cases/CasesPage"));
const CasePage = lazy(() => import("../features/cases/CasePage"));
const HuntPage = lazy(() => import("../features/hunt/HuntPage"));
const SensorsPage = lazy(() => import("../features/sensors/SensorsPage"));
const RulesPage = lazy(() => import("../features/rules/RulesPage"));
const RulePage = lazy(() => import("../features/rules/RulePage"));
const ReportsPage = lazy(() => import("../features/reports/ReportsPage"));
const SuppressionsPage = lazy(() => import("../features/suppressions/SuppressionsPage"));
const UsersPage = lazy(() => import("../features/users/UsersPage"));
const AccountPage = lazy(() => import("../features/account/AccountPage"));
const AuditPage = lazy(() => import("../features/audit/AuditPage"));
const OverviewPage = lazy(() => import("../features/overview/OverviewPage"));
const RostersPage = lazy(() => import("../features/rosters/RostersPage"));
const AcknowledgePage = lazy(() => import("../features/acknowledge/AcknowledgePage"));
const WorkPage = lazy(() => import("../features/assigned/WorkPage"));
const WorkNoticePage = lazy(() => import("../features/assigned/NoticePage"));
const HandoverPage = lazy(() => import("../features/handover/HandoverPage"));
const OpenIdPage = lazy(() => import("../features/session/OpenIdPage"));
const NoticesPage = lazy(() => import("../features/notices/NoticesPage"));

export function AppRoutes() {
  const { i18n } = useTranslation();
  const otherLanguage = () => setLanguage(i18n.language === "vi" ? "en" : "vi");
  return (
    <Routes>
      <Route path="/setup" element={<SetupPage onLanguage={otherLanguage} />} />
      <Route
        path="/acknowledge"
        element={
          <Suspense fallback={<SkeletonRows rows={6} />}>
            <AcknowledgePage onLanguage={otherLanguage} />
          </Suspense>
        }
      />
      <Route
        path="/openid"
        element={
          <Suspense fallback={<SkeletonRows rows={6} />}>
            <OpenIdPage onLanguage={otherLanguage} />
          </Suspense>
        }
      />
      <Route path="/login" element={<LoginRoute onLanguage={otherLanguage} />} />
      <Route path="/*" element={<Inside />} />
    </Routes>
  );
}

/** The page somebody wanted before they had to log in. */
function wanted(state: unknown): string {
  const from = typeof state === "object" && state !== null && "from" in state ? state.from : undefined;
  return typeof from === "string" && from.startsWith("/") && !from.startsWith("//") ? from : "/";
}

function LoginRoute({ onLanguage }: { onLanguage: () => void }) {
  const session = useSession();
  const location = useLocation();
  if (session.data) return <Navigate to={wanted(location.state)} replace />;
  return <LoginPage onLanguage={onLanguage} />;
}

function Inside() {
  const session = useSession();
  const location = useLocation();
  if (session.isPending) return <SkeletonRows rows={12} />;
  if (!session.data) {
    if (failedWith(session.error, 401)) return <Navigate to="/login" replace state={{ from: location.pathname + location.search }} />;
    return <Failed error={session.error ?? new Error("")} retry={() => void session.refetch()} />;
  }
  return <Pages />;
}

function Pages() {
  const { t } = useTranslation();
  const { user } = useSettings();
  const session = useSession();
  const { pathname } = useLocation();
  const may = permissions(user.role);
  // Until a second factor is set up and a password changed that the policy demands, nothing else answers.
  if ((session.data?.must_enrol || session.data?.must_change_password) && pathname !== "/account") return <Navigate to="/account" replace />;
  const none = <Empty title={t("ui.forbidden")}>{t("ui.forbidden_hint")}</Empty>;
  const guard = (allowed: boolean, page: React.ReactNode) => (allowed ? page : none);
  return (
    <Shell>
      <Suspense fallback={<SkeletonRows rows={10} />}>
        <Routes>
          <Route index element={<Navigate to={may.answers ? "/assigned" : "/alerts"} replace />} />
          <Route path="assigned" element={guard(may.answers, <WorkPage />)} />
          <Route path="assigned/:id" element={guard(may.answers, <WorkNoticePage />)} />
          <Route path="alerts" element={guard(may.read, <AlertsPage />)} />
          <Route path="alerts/:id" element={guard(may.read, <AlertPage />)} />
          <Route path="cases" element={guard(may.read, <CasesPage />)} />
          <Route path="cases/:id" element={guard(may.read, <CasePage />)} />
          <Route path="agencies" element={guard(may.read, <AgenciesPage />)} />
          <Route path="hunt" element={guard(may.read, <HuntPage />)} />
          <Route path="sensors" element={guard(may.read, <SensorsPage />)} />
          <Route path="rules" element={guard(may.read, <RulesPage />)} />
          <Route path="rules/:id" element={guard(may.read, <RulePage />)} />
          <Route path="reports" element={guard(may.read, <ReportsPage />)} />
          <Route path="suppressions" element={guard(may.read, <SuppressionsPage />)} />
          <Route path="users" element={guard(may.admin, <UsersPage />)} />
          <Route path="account" element={<AccountPage />} />
          <Route path="audit" element={guard(may.audit, <AuditPage />)} />
          <Route path="notices" element={guard(may.read, <NoticesPage />)} />
          <Route path="overview" element={guard(may.read, <OverviewPage />)} />
          <Route path="rosters" element={guard(may.read, <RostersPage />)} />
          <Route path="handover" element={guard(may.read, <HandoverPage />)} />
          <Route path="handover/:id" element={guard(may.read, <HandoverPage />)} />
          <Route path="*" element={<Empty title={t("ui.not_found")}>{t("ui.not_found_hint")}</Empty>} />
        </Routes>
      </Suspense>
    </Shell>
  );
}
