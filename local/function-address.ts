/** As on AWS, the first label of an address' host is its id, and the rest is the same for all. */
const HOST = /^([a-z0-9]+)\.lambda-url\.localhost(?::\d+)?$/i;

/** The address of a local function: `http://<id>.lambda-url.localhost:<port>/`. */
export const functionAddress = (id: string, port: number | string): string => `http://${id}.lambda-url.localhost:${port}/`;

/** A request's URL with the function in its path, where its `Host` names one. */
export const functionInPath = (url: string, host: string): string => {
  const [, id] = HOST.exec(host) ?? [];
  return id === undefined ? url : `/.lambda-url/${id.toLowerCase()}${url}`;
};

/** The same address for who asks by number: browsers know every name below `localhost`, and many resolvers none. */
export const addressByNumber = (address: string): string => {
  const { host, port, pathname, search } = new URL(address);
  return `http://127.0.0.1:${port}${functionInPath(pathname, host)}${search}`;
};
