/**
 * Waits for the event loop to come round: promises alone do not let it, and only then does JavaScript report the
 * handles that it has collected.
 */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
