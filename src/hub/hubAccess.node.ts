import { downloadsIn } from './downloads.node';
import type { HubAccess } from './hub';
import { hubClient, type HubFunctions } from './hubClient.node';
import { checkedAddress } from './hubFetch.node';

/** The hub and the folders of downloads on this machine; `load` gives the hub's package, and is called when someone goes to the hub. */
export function hubAccess(load: () => HubFunctions): HubAccess {
  return {
    checkedAddress,
    downloadsIn: (folder, barred) => downloadsIn(folder, barred),
    connect: (place) => hubClient(load(), place),
  };
}
