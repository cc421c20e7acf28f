import type { ServerResponse } from "node:http";

/**
 * A request's place among those under way. It is given back once the response is closed, sent or not, and the handler
 * has ended: a client that hangs up frees nothing while its request still costs us something.
 */
export type Place = { begin(): void; end(): void; giveBack(): void };

export const takenPlace = (response: ServerResponse, giveBack: () => void): Place => {
  let [busy, closed] = [false, false];
  const settle = (): void => {
    if (closed && !busy) giveBack();
  };
  response.once("close", () => {
    closed = true;
    settle();
  });
  return {
    begin: () => {
      busy = true;
    },
    end: () => {
      busy = false;
      settle();
    },
    giveBack,
  };
};
