import cf from 'cloudfront';
import crypto from 'crypto';

/*
 * Says for each request of a visitor which release answers. CloudFront runs it (viewer request, cloudfront-js-2.0), and so
 * does the local edge. The table is written by `edge-table.ts`, which says what its rows mean.
 *
 * CloudFront takes 10 KB of ES5.1 with const, let, await, arrows and templates: no destructuring, spread, for-of, `?.`, `??`,
 * shorthand properties or catch without a name, and no await within arguments. A request costs at most two look-ups, and three where it may be for a
 * file and names a release that is gone, or is a candidate's visitor's.
 */
const table = cf.kvs();

/** What a release is called. Nothing else is looked up, so that no visitor makes keys. */
const RELEASE = /^dep_[0-9A-HJKMNP-TV-Z]{26}$/;
/** Builds share their name for these two, so they lie below the id of their release. */
const BUILD_MANIFEST = /^(.*\/_next\/static\/)([^/]+)(\/_[A-Za-z]+Manifest\.js(?:on)?)$/;
/** What pages are kept apart by, and files must not be. */
const PAGE_HEADERS = [
  'next-router-prefetch',
  'next-router-segment-prefetch',
  'next-router-state-tree',
  'next-url',
  'x-prerender-revalidate',
];

async function handler(event) {
  const request = event.request;
  const headers = request.headers;
  const distribution = event.context.distributionId;
  removeHeaders(headers, 'x-shiplog-');
  headers['x-forwarded-host'] = { value: headers.host.value };

  if (request.uri.includes('/_next/static/')) {
    const path = await staticPath(request, distribution);
    request.uri = path;
    return request;
  }

  // a document is always live: a pin that it kept would outlive every reload
  const named = isDocument(request) ? undefined : releaseNamed(request);
  let route;
  if (named !== undefined) route = await routeAt(`release:${distribution}:${named}`);
  if (route === undefined) route = await routeAt(`live:${distribution}`);
  if (route !== undefined && route.candidate !== undefined && named === undefined) route = await canary(route, event);
  if (route === undefined) {
    // the origin of its behaviour answers, whose alias is what is live; kept apart from what releases answer
    headers['x-shiplog-release'] = { value: 'live' };
    return request;
  }
  // in no cache key: edge-answer.js names the release after it
  headers['x-shiplog-deployment'] = { value: route.release };

  const below = belowBase(request.uri, route.base);
  const isNext = below.startsWith('_next/');
  const path = request.uri.slice(1);
  // its behaviour knows where it is; outside of the basePath it is nowhere, and an address cannot be asked in place of files
  if (isBuilt(isNext ? below : path)) return request;

  if (!isNext && isRead(request) && !headers.rsc) {
    const isFile = await isPublic(distribution, route.files, path);
    if (isFile) return publicFile(request, route.files.set, path);
  }
  headers['x-shiplog-release'] = { value: String(route.address) };
  // what is not said is the behaviour's origin's: its key, timeouts and protocol
  cf.updateRequestOrigin({ domainName: addressFor(route, below) + route.host });
  return request;
}

/**
 * The candidate for a visitor of its buckets, 0 to 999, and else what is live. A document draws a bucket where the visitor has none
 * of this candidate; the cookie keeps it, so that more percent move nobody back, and a row without a candidate moves everybody.
 */
async function canary(live, event) {
  const request = event.request;
  const kept = /^([0-9]{1,3})\.([0-9]+)$/.exec(request.cookies.__shiplog ? request.cookies.__shiplog.value : '');
  let bucket = 1000;
  if (kept && kept[2] === String(live.candidate.sequence)) bucket = Number(kept[1]);
  else if (isDocument(request)) {
    bucket = parseInt(digestOf(event.context.requestId), 16) % 1000;
    request.headers['x-shiplog-bucket'] = { value: `${bucket}.${live.candidate.sequence}` };
  }
  if (live.candidate.percent < 100 && bucket >= 10 * live.candidate.percent) return live;
  const route = await routeAt(`release:${event.context.distributionId}:${live.candidate.release}`);
  return route === undefined ? live : route;
}

/** Static files have names of their own in every release, so nothing is looked up but for the manifests of a build. */
async function staticPath(request, distribution) {
  const found = BUILD_MANIFEST.exec(request.uri);
  if (!found || RELEASE.test(found[2])) return request.uri;
  const asked = request.querystring.dpl;
  if (asked && RELEASE.test(asked.value)) return found[1] + asked.value + found[3];
  const live = await routeAt(`live:${distribution}`);
  return live === undefined ? request.uri : found[1] + live.release + found[3];
}

/** What Next.js keeps there is a file. */
function isBuilt(path) {
  return path.startsWith('_next/') && !path.startsWith('_next/image') && !path.startsWith('_next/data/');
}

function isRead(request) {
  return request.method === 'GET' || request.method === 'HEAD';
}

function isDocument(request) {
  const headers = request.headers;
  if (!isRead(request)) return false;
  if (headers['sec-fetch-dest'] && headers['sec-fetch-dest'].value === 'document') return true;
  if (!headers.accept || headers.rsc) return false;
  return (headers.accept.multiValue || [headers.accept]).some((one) => one.value.includes('text/html'));
}

/** The first that has the form of an id: the header, `?dpl=`, the path of a page's data. */
function releaseNamed(request) {
  const header = request.headers['x-deployment-id'];
  const query = request.querystring.dpl;
  const data = /\/_next\/data\/([^/]+)\//.exec(request.uri);
  return [header && header.value, query && query.value, data && data[1]].find((one) => RELEASE.test(one || ''));
}

/** `undefined`: the table has no such row, cannot be read, or holds what no flip wrote. */
async function rowAt(key) {
  try {
    const row = await table.get(key);
    return row;
  } catch (error) {
    return undefined;
  }
}

/** The route of a row, unless its time is over. */
async function routeAt(key) {
  const row = await rowAt(key);
  if (row === undefined) return undefined;
  try {
    const route = JSON.parse(row);
    return isRoute(route) && !(route.until * 1000 <= Date.now()) ? route : undefined;
  } catch (error) {
    return undefined;
  }
}

function isRoute(route) {
  return (
    route.v === 1 &&
    Number.isInteger(route.address) &&
    route.address > 0 &&
    RELEASE.test(route.release) &&
    /^\.[a-z0-9.:-]+$/.test(route.host) &&
    isAddress(route.server) &&
    isAddress(route.image) &&
    (route.split === undefined || route.split.every((one) => typeof one[0] === 'string' && isAddress(one[1]))) &&
    (route.base === undefined || typeof route.base === 'string') &&
    (route.until === undefined || typeof route.until === 'number') &&
    (route.candidate === undefined || (RELEASE.test(route.candidate.release) && typeof route.candidate.percent === 'number')) &&
    /^[0-9a-f]{16}$/.test(route.files.set) &&
    Number.isInteger(route.files.rows) &&
    (route.files.paths === undefined || typeof route.files.paths === 'string')
  );
}

/** Without dots, so that a host cannot be another's. */
function isAddress(id) {
  return typeof id === 'string' && /^[a-z0-9]{1,64}$/.test(id);
}

/** The path below the basePath, without a slash before it; empty where it is not below. */
function belowBase(uri, base) {
  if (!base) return uri.slice(1);
  return uri.startsWith(`/${base}/`) ? uri.slice(base.length + 2) : '';
}

/** The function of a path: what CloudFront's behaviours would say, the most specific first. */
function addressFor(route, below) {
  const patterns = [
    ['_next/image*', route.image],
    ['_next/data/*', route.server],
  ].concat(route.split || []);
  let address = route.server;
  let best = -1;
  patterns.forEach((one) => {
    const said = specificity(one[0]);
    if (said > best && matches(one[0], below)) {
      best = said;
      address = one[1];
    }
  });
  return address;
}

/** As `path-pattern.ts` has it. */
function specificity(pattern) {
  const first = pattern.search(/[*?]/);
  return first < 0 ? Infinity : first * 10000 + pattern.replace(/[*?]/g, '').length;
}

/** `*` stands for any characters, slashes too, and `?` for exactly one. A walk, since a regular expression may take for ever. */
function matches(pattern, path) {
  let at = 0;
  let star = -1;
  let resume = 0;
  let i = 0;
  while (i < path.length) {
    if (pattern[at] === '*') {
      star = at++;
      resume = i;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === path[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

async function isPublic(distribution, files, path) {
  if (path === '' || path.endsWith('/')) return false;
  let name;
  try {
    name = decodeURIComponent(path);
  } catch (error) {
    return false;
  }
  const digest = digestOf(name);
  if (files.paths !== undefined) return files.paths.includes(digest);
  if (files.rows < 1) return false;
  const row = await rowAt(`files:${distribution}:${files.set}:${parseInt(digest, 16) % files.rows}`);
  return row !== undefined && row.includes(digest);
}

function digestOf(text) {
  return crypto.createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** A file is its path below its set, whoever asks for it. S3 refuses requests with headers of its own that it did not sign. */
function publicFile(request, set, path) {
  request.uri = `/_public/${set}/${path}`;
  request.querystring = {};
  request.cookies = {};
  PAGE_HEADERS.forEach((name) => {
    delete request.headers[name];
  });
  removeHeaders(request.headers, 'x-amz-');
  cf.selectRequestOriginById('files');
  return request;
}

function removeHeaders(headers, prefix) {
  Object.keys(headers).forEach((name) => {
    if (name.startsWith(prefix)) delete headers[name];
  });
}
