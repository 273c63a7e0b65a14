// What the components expect of a browser and the test one does not have.
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

vi.stubGlobal("matchMedia", (query: string) => ({
  matches: false,
  media: query,
  onchange: null,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  addListener: () => undefined,
  removeListener: () => undefined,
  dispatchEvent: () => false,
}));

class NoResize {
  observe() {}
  unobserve() {}
  disconnect() {}
}
vi.stubGlobal("ResizeObserver", NoResize);

afterEach(cleanup);

// Nothing is asked of a server: what a component needs, its test puts into the query cache.
vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no server in tests")));
