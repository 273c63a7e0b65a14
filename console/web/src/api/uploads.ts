// Files in pieces: a slow line costs a piece and not the file, and a broken one goes on from what has arrived.
import { failedWith } from "./client";
import type { AgencyFile } from "./types";

const TRIES = 5;
const PAUSE_MS = 1_500;

interface Steps {
  /** Begins the file, or finds the one that was begun before; answers how much of it is there. */
  begin: () => Promise<AgencyFile>;
  /** Sends one piece. */
  put: (file: string, at: number, piece: Blob) => Promise<AgencyFile>;
  /** How the file stands, asked after a break. */
  look: (file: string) => Promise<AgencyFile | undefined>;
  /** Told after every piece: the share that is there. */
  progress: (share: number) => void;
}

const pause = (ms: number) => new Promise<void>((go) => setTimeout(go, ms));

/** What may pass by itself: no answer, a busy server, a piece that arrived although its answer did not. */
function passes(error: unknown): boolean {
  return failedWith(error, 0) || failedWith(error, 429) || failedWith(error, 502) || failedWith(error, 503) || failedWith(error, 504) || (failedWith(error, 409) && error.body.code === "other_place");
}

/** Sends a file; answers it once it is whole. */
export async function sendInPieces(content: File, pieceBytes: number, { begin, put, look, progress }: Steps): Promise<AgencyFile> {
  let file = await begin();
  let failures = 0;
  while (file.state === "receiving" && file.received < content.size) {
    const at = file.received;
    progress(at / content.size);
    try {
      file = await put(file.id, at, content.slice(at, at + pieceBytes));
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!passes(error) || failures >= TRIES) throw error;
      await pause(PAUSE_MS * failures);
      file = (await look(file.id).catch(() => undefined)) ?? file;
    }
  }
  progress(1);
  return file;
}
