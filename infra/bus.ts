import { BUS } from "../blueprint/topology.ts";

/** Shiplog's own bus. CodeBuild reports on the account's default one, which is always there. */
export const bus = new sst.aws.Bus("Bus", { transform: { bus: { name: BUS } } });
