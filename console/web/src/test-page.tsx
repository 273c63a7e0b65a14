// Renders a component as the console would: theme, words, routes, an empty query cache.
import "./app/i18n";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import i18next from "i18next";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";
import { theme } from "./app/theme";

export async function renderPage(page: ReactNode, { language = "vi", path = "/" } = {}) {
  await i18next.changeLanguage(language);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const rendered = render(
    <QueryClientProvider client={queries}>
      <MantineProvider theme={theme} env="test">
        <MemoryRouter initialEntries={[path]}>{page}</MemoryRouter>
      </MantineProvider>
    </QueryClientProvider>,
  );
  return { ...rendered, queries };
}
