import type { Fetch } from "../host/socket.ts";
import type { DoorObserver } from "../observe/observer.ts";
import type { Route } from "../routes/route.ts";
import { isUpgrade } from "./http.ts";

/** The same answers, with an observer told of each; without one, `fetch` itself. */
export function watchFetch(fetch: Fetch, routes: readonly Route[], observer: DoorObserver | undefined): Fetch {
  if (!observer) return fetch;
  const known = new Set(routes.map(({ path }) => path));
  return async (request, env) => {
    const upgrade = isUpgrade(request);
    const { pathname } = new URL(request.url);
    const response = await fetch(request, env);
    // What stands for an accepted upgrade has a status that says nothing, and differs by runtime.
    if (upgrade) observer.answered("websocket", response.status < 400 ? 101 : response.status);
    else observer.answered(known.has(pathname) ? pathname : "other", response.status);
    return response;
  };
}
