// Everything around the pages that has no shape: theme, languages, the query cache, routes.
import "dayjs/locale/vi";
import "./i18n";
import { MantineProvider, mergeThemeOverrides } from "@mantine/core";
import { DatesProvider } from "@mantine/dates";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { BrowserRouter } from "react-router";
import { ApiFailure } from "../api/client";
import { AppRoutes } from "./routes";
import { theme, variables } from "./theme";

const RETRIES = 1;

/** Only what may pass by itself is tried again. */
function worthRetrying(failures: number, error: Error): boolean {
  const passing = !(error instanceof ApiFailure) || error.status === 0 || error.status >= 502;
  return passing && failures < RETRIES;
}

const queries = new QueryClient({
  defaultOptions: { queries: { retry: worthRetrying, refetchOnWindowFocus: false, staleTime: 10_000 } },
});

export function App() {
  const { t, i18n } = useTranslation();
  const named = useMemo(() => mergeThemeOverrides(theme, { components: { Modal: { defaultProps: { closeButtonProps: { "aria-label": t("ui.close") } } } } }), [t]);
  return (
    <QueryClientProvider client={queries}>
      <MantineProvider theme={named} cssVariablesResolver={variables} defaultColorScheme="dark">
        <DatesProvider settings={{ locale: i18n.language, firstDayOfWeek: 1 }}>
          <Notifications position="bottom-right" limit={4} />
          <BrowserRouter useTransitions={false}>
            <AppRoutes />
          </BrowserRouter>
        </DatesProvider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
