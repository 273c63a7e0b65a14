// Language and theme of the person at the desk: kept with their account, applied to the page.
import { useMantineColorScheme } from "@mantine/core";
import { useEffect } from "react";
import { useChangeSession, useSession } from "../api/session";
import type { SessionInfo } from "../api/types";
import { setFormats } from "../ui/format";
import { setLanguage } from "./i18n";

export interface Settings {
  user: SessionInfo["user"];
  version: string;
  toggleLanguage: () => void;
  toggleTheme: () => void;
}

export function useSettings(): Settings {
  const session = useSession();
  const change = useChangeSession();
  const { setColorScheme } = useMantineColorScheme();
  const info = session.data;
  if (!info) throw new Error("settings were asked for without a session");
  const { locale, theme } = info.user;
  setFormats(info.time_zone, locale);

  useEffect(() => setLanguage(locale), [locale]);
  useEffect(() => setColorScheme(theme), [theme, setColorScheme]);

  return {
    user: info.user,
    version: info.version,
    toggleLanguage: () => change.mutate({ locale: locale === "vi" ? "en" : "vi" }),
    toggleTheme: () => change.mutate({ theme: theme === "dark" ? "light" : "dark" }),
  };
}
