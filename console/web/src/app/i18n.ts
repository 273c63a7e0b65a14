// The two languages: Vietnamese first and complete, English beside it. Every feature brings its own words.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import * as account from "../features/account/words";
import * as acknowledge from "../features/acknowledge/words";
import * as agencies from "../features/agencies/words";
import * as packets from "../features/alerts/packets/words";
import * as alerts from "../features/alerts/words";
import * as audit from "../features/audit/words";
import * as cases from "../features/cases/words";
import * as handover from "../features/handover/words";
import * as hunt from "../features/hunt/words";
import * as notices from "../features/notices/words";
import * as overview from "../features/overview/words";
import * as reports from "../features/reports/words";
import * as rosters from "../features/rosters/words";
import * as rules from "../features/rules/words";
import * as sensors from "../features/sensors/words";
import * as session from "../features/session/words";
import * as suppressions from "../features/suppressions/words";
import * as users from "../features/users/words";
import * as work from "../features/assigned/words";
import * as ui from "../ui/words";
import * as frame from "./words";

export const vi = {
  ...frame.vi,
  ...ui.vi,
  ...account.vi,
  ...acknowledge.vi,
  ...agencies.vi,
  ...alerts.vi,
  ...packets.vi,
  ...audit.vi,
  ...cases.vi,
  ...handover.vi,
  ...hunt.vi,
  ...notices.vi,
  ...overview.vi,
  ...reports.vi,
  ...rosters.vi,
  ...rules.vi,
  ...sensors.vi,
  ...session.vi,
  ...suppressions.vi,
  ...users.vi,
  ...work.vi,
};

export const en: typeof vi = {
  ...frame.en,
  ...ui.en,
  ...account.en,
  ...acknowledge.en,
  ...agencies.en,
  ...alerts.en,
  ...packets.en,
  ...audit.en,
  ...cases.en,
  ...handover.en,
  ...hunt.en,
  ...notices.en,
  ...overview.en,
  ...reports.en,
  ...rosters.en,
  ...rules.en,
  ...sensors.en,
  ...session.en,
  ...suppressions.en,
  ...users.en,
  ...work.en,
};

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof vi };
  }
}

/** What was chosen on this machine before anybody logged in. */
const STORED = "luytre.language";

export function storedLanguage(): "vi" | "en" {
  return localStorage.getItem(STORED) === "en" ? "en" : "vi";
}

export function setLanguage(language: "vi" | "en") {
  localStorage.setItem(STORED, language);
  document.documentElement.lang = language;
  void i18next.changeLanguage(language);
}

void i18next.use(initReactI18next).init({
  resources: { vi: { translation: vi }, en: { translation: en } },
  lng: storedLanguage(),
  fallbackLng: "vi",
  interpolation: { escapeValue: false },
  showSupportNotice: false,
});
document.documentElement.lang = storedLanguage();

export default i18next;
