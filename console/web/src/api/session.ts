// Who is logged in, and what they may do.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { client, must, sessionBegan, sessionEnded } from "./client";
import type { Lang, Role, SessionInfo, Theme } from "./types";

export const SESSION_KEY = ["session"] as const;

/** The session; an error of status 401 means that nobody is logged in. */
export function useSession() {
  return useQuery({
    queryKey: SESSION_KEY,
    queryFn: async () => {
      const info = await must(client.GET("/api/v1/session"));
      sessionBegan(info.csrf_token);
      return info;
    },
    staleTime: Infinity,
    retry: false,
  });
}

/** The session of a page that is only shown to somebody logged in. */
export function useCaller(): SessionInfo["user"] {
  const session = useSession();
  if (!session.data) throw new Error("a page was shown without a session");
  return session.data.user;
}

const TRIAGE: readonly Role[] = ["analyst", "admin"];
const CASES: readonly Role[] = ["analyst", "manager", "admin"];
const LEAD: readonly Role[] = ["manager", "admin"];
const AUDIT: readonly Role[] = ["auditor", "admin"];

/** What a role may do; the server decides, this only hides what would be refused. */
export function permissions(role: Role) {
  return {
    read: role !== "agency",
    triage: TRIAGE.includes(role),
    cases: CASES.includes(role),
    lead: LEAD.includes(role),
    audit: AUDIT.includes(role),
    admin: role === "admin",
    tokens: role !== "agency",
    /** Answers what was addressed to their agency. */
    answers: role === "agency",
  };
}

export function usePermissions() {
  return permissions(useCaller().role);
}

function useTakeSession() {
  const queries = useQueryClient();
  return (info: SessionInfo) => {
    sessionBegan(info.csrf_token);
    queries.setQueryData(SESSION_KEY, info);
  };
}

export function useLogIn() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: (body: { name: string; password: string; code?: string }) => must(client.POST("/api/v1/session", { body })),
    onSuccess: take,
  });
}

export function useSetupNeeded() {
  return useQuery({ queryKey: ["setup"], queryFn: () => must(client.GET("/api/v1/setup")), staleTime: 0 });
}

export function useSetUp() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: (body: { token: string; name?: string; display_name?: string; password: string }) =>
      must(client.POST("/api/v1/setup", { body })),
    onSuccess: take,
  });
}

/** Logs out and loads the page anew, so that nothing that was seen or typed stays in memory; of the identity provider too. */
export function useLogOut() {
  const session = useSession();
  return useMutation({
    mutationFn: () => must(client.DELETE("/api/v1/session")),
    onSettled: () => {
      sessionEnded();
      window.location.assign(session.data?.log_out_address ?? "/login");
    },
  });
}

export function useChangePassword() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: (body: { current: string; password: string }) => must(client.PUT("/api/v1/session/password", { body })),
    onSuccess: take,
  });
}

type Trip = "log_in" | "link";
const TRIP = "luytre.openid";

/** The identity provider by which one can come in, by its name. */
export function useProvider() {
  return useQuery({ queryKey: ["openid"], queryFn: () => must(client.GET("/api/v1/openid")), staleTime: 60_000 });
}

/** Goes to the identity provider; `back` is the page to which to come home afterwards. */
export function useGoToProvider(purpose: Trip, back: string) {
  return useMutation({
    mutationFn: () => must(purpose === "link" ? client.POST("/api/v1/session/identity") : client.POST("/api/v1/openid")),
    onSuccess: ({ address }) => {
      sessionStorage.setItem(TRIP, JSON.stringify({ purpose, back }));
      window.location.assign(address);
    },
  });
}

/** What the way to the identity provider was for. */
export function openIdTrip(): { purpose: Trip; back: string } {
  const kept: unknown = JSON.parse(sessionStorage.getItem(TRIP) ?? "{}");
  sessionStorage.removeItem(TRIP);
  const { purpose, back } = typeof kept === "object" && kept !== null ? (kept as { purpose?: unknown; back?: unknown }) : {};
  const inside = typeof back === "string" && back.startsWith("/") && !back.startsWith("//");
  return { purpose: purpose === "link" ? "link" : "log_in", back: inside ? back : "/alerts" };
}

/** Hands on what the identity provider sent back. */
export function useFinishOpenId(purpose: Trip) {
  const take = useTakeSession();
  return useMutation({
    mutationFn: async (body: { state: string; code?: string; error?: string; second?: string }) => {
      if (purpose === "log_in") return take(await must(client.POST("/api/v1/openid/session", { body })));
      // The page was loaded anew: the session says what a change must carry.
      take(await must(client.GET("/api/v1/session")));
      await must(client.PUT("/api/v1/session/identity", { body }));
    },
  });
}

export function useChangeSession() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: (body: { locale?: Lang; theme?: Theme; display_name?: string }) =>
      must(client.PATCH("/api/v1/session", { body })),
    onSuccess: take,
  });
}
