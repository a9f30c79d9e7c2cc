import type { BulkTable } from '../engine/bulk-insert.js';

/** Clause 1.3, with the specification's names. */
export const createTables = `
CREATE TABLE tpcc.warehouse (
  w_id int NOT NULL, w_name varchar(10) NOT NULL,
  w_street_1 varchar(20) NOT NULL, w_street_2 varchar(20) NOT NULL, w_city varchar(20) NOT NULL,
  w_state char(2) NOT NULL, w_zip char(9) NOT NULL,
  w_tax numeric(4,4) NOT NULL, w_ytd numeric(12,2) NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE tpcc.district (
  d_id int NOT NULL, d_w_id int NOT NULL, d_name varchar(10) NOT NULL,
  d_street_1 varchar(20) NOT NULL, d_street_2 varchar(20) NOT NULL, d_city varchar(20) NOT NULL,
  d_state char(2) NOT NULL, d_zip char(9) NOT NULL,
  d_tax numeric(4,4) NOT NULL, d_ytd numeric(12,2) NOT NULL, d_next_o_id int NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE tpcc.customer (
  c_id int NOT NULL, c_d_id int NOT NULL, c_w_id int NOT NULL,
  c_first varchar(16) NOT NULL, c_middle char(2) NOT NULL, c_last varchar(16) NOT NULL,
  c_street_1 varchar(20) NOT NULL, c_street_2 varchar(20) NOT NULL, c_city varchar(20) NOT NULL,
  c_state char(2) NOT NULL, c_zip char(9) NOT NULL, c_phone char(16) NOT NULL, c_since timestamptz NOT NULL,
  c_credit char(2) NOT NULL, c_credit_lim numeric(12,2) NOT NULL, c_discount numeric(4,4) NOT NULL,
  c_balance numeric(12,2) NOT NULL, c_ytd_payment numeric(12,2) NOT NULL,
  c_payment_cnt int NOT NULL, c_delivery_cnt int NOT NULL, c_data varchar(500) NOT NULL
);
CREATE TABLE tpcc.history (
  h_c_id int NOT NULL, h_c_d_id int NOT NULL, h_c_w_id int NOT NULL, h_d_id int NOT NULL, h_w_id int NOT NULL,
  h_date timestamptz NOT NULL, h_amount numeric(6,2) NOT NULL, h_data varchar(24) NOT NULL
);
CREATE TABLE tpcc.orders (
  o_id int NOT NULL, o_d_id int NOT NULL, o_w_id int NOT NULL, o_c_id int NOT NULL,
  o_entry_d timestamptz NOT NULL, o_carrier_id int, o_ol_cnt int NOT NULL, o_all_local int NOT NULL
);
CREATE TABLE tpcc.new_order (no_o_id int NOT NULL, no_d_id int NOT NULL, no_w_id int NOT NULL);
CREATE TABLE tpcc.order_line (
  ol_o_id int NOT NULL, ol_d_id int NOT NULL, ol_w_id int NOT NULL, ol_number int NOT NULL,
  ol_i_id int NOT NULL, ol_supply_w_id int NOT NULL, ol_delivery_d timestamptz,
  ol_quantity int NOT NULL, ol_amount numeric(6,2) NOT NULL, ol_dist_info char(24) NOT NULL
);
CREATE TABLE tpcc.item (
  i_id int NOT NULL, i_im_id int NOT NULL, i_name varchar(24) NOT NULL, i_price numeric(5,2) NOT NULL,
  i_data varchar(50) NOT NULL
);
CREATE TABLE tpcc.stock (
  s_i_id int NOT NULL, s_w_id int NOT NULL, s_quantity int NOT NULL,
  s_dist_01 char(24) NOT NULL, s_dist_02 char(24) NOT NULL, s_dist_03 char(24) NOT NULL,
  s_dist_04 char(24) NOT NULL, s_dist_05 char(24) NOT NULL, s_dist_06 char(24) NOT NULL,
  s_dist_07 char(24) NOT NULL, s_dist_08 char(24) NOT NULL, s_dist_09 char(24) NOT NULL,
  s_dist_10 char(24) NOT NULL,
  s_ytd int NOT NULL, s_order_cnt int NOT NULL, s_remote_cnt int NOT NULL, s_data varchar(50) NOT NULL
)`;

/** Made after the rows: building an index is faster than growing it. */
export const createKeys = [
  'ALTER TABLE tpcc.item ADD PRIMARY KEY (i_id)',
  'ALTER TABLE tpcc.warehouse ADD PRIMARY KEY (w_id)',
  'ALTER TABLE tpcc.district ADD PRIMARY KEY (d_w_id, d_id)',
  'ALTER TABLE tpcc.customer ADD PRIMARY KEY (c_w_id, c_d_id, c_id)',
  'ALTER TABLE tpcc.orders ADD PRIMARY KEY (o_w_id, o_d_id, o_id)',
  'ALTER TABLE tpcc.new_order ADD PRIMARY KEY (no_w_id, no_d_id, no_o_id)',
  'ALTER TABLE tpcc.order_line ADD PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number)',
  'ALTER TABLE tpcc.stock ADD PRIMARY KEY (s_w_id, s_i_id)',
  'CREATE INDEX customer_by_name ON tpcc.customer (c_w_id, c_d_id, c_last, c_first)',
  'CREATE INDEX orders_by_customer ON tpcc.orders (o_w_id, o_d_id, o_c_id, o_id)',
  'ALTER TABLE tpcc.district ADD FOREIGN KEY (d_w_id) REFERENCES tpcc.warehouse',
  'ALTER TABLE tpcc.customer ADD FOREIGN KEY (c_w_id, c_d_id) REFERENCES tpcc.district',
  'ALTER TABLE tpcc.history ADD FOREIGN KEY (h_c_w_id, h_c_d_id, h_c_id) REFERENCES tpcc.customer',
  'ALTER TABLE tpcc.history ADD FOREIGN KEY (h_w_id, h_d_id) REFERENCES tpcc.district',
  'ALTER TABLE tpcc.orders ADD FOREIGN KEY (o_w_id, o_d_id, o_c_id) REFERENCES tpcc.customer',
  'ALTER TABLE tpcc.new_order ADD FOREIGN KEY (no_w_id, no_d_id, no_o_id) REFERENCES tpcc.orders',
  'ALTER TABLE tpcc.stock ADD FOREIGN KEY (s_w_id) REFERENCES tpcc.warehouse',
  'ALTER TABLE tpcc.stock ADD FOREIGN KEY (s_i_id) REFERENCES tpcc.item',
  'ALTER TABLE tpcc.order_line ADD FOREIGN KEY (ol_w_id, ol_d_id, ol_o_id) REFERENCES tpcc.orders',
  'ALTER TABLE tpcc.order_line ADD FOREIGN KEY (ol_supply_w_id, ol_i_id) REFERENCES tpcc.stock',
];

export const tableNames = [
  'warehouse',
  'district',
  'customer',
  'history',
  'orders',
  'new_order',
  'order_line',
  'item',
  'stock',
] as const;

function table(name: string, columns: string): BulkTable {
  const entries = columns.split(' ').map((column): [string, string] => {
    const [label, type] = column.split(':');
    return [label!, type ?? 'text'];
  });
  return { name: `tpcc.${name}`, columns: Object.fromEntries(entries) };
}

/** The columns as the loader gives them; a column without a type is text. */
export const bulk = {
  item: table('item', 'i_id:int i_im_id:int i_name i_price:numeric i_data'),
  warehouse: table(
    'warehouse',
    'w_id:int w_name w_street_1 w_street_2 w_city w_state w_zip w_tax:numeric w_ytd:numeric',
  ),
  district: table(
    'district',
    'd_id:int d_w_id:int d_name d_street_1 d_street_2 d_city d_state d_zip d_tax:numeric d_ytd:numeric d_next_o_id:int',
  ),
  stock: table(
    'stock',
    's_i_id:int s_w_id:int s_quantity:int s_dist_01 s_dist_02 s_dist_03 s_dist_04 s_dist_05 s_dist_06 s_dist_07 ' +
      's_dist_08 s_dist_09 s_dist_10 s_ytd:int s_order_cnt:int s_remote_cnt:int s_data',
  ),
  customer: table(
    'customer',
    'c_id:int c_d_id:int c_w_id:int c_first c_middle c_last c_street_1 c_street_2 c_city c_state c_zip c_phone ' +
      'c_since:timestamptz c_credit c_credit_lim:numeric c_discount:numeric c_balance:numeric c_ytd_payment:numeric ' +
      'c_payment_cnt:int c_delivery_cnt:int c_data',
  ),
  history: table(
    'history',
    'h_c_id:int h_c_d_id:int h_c_w_id:int h_d_id:int h_w_id:int h_date:timestamptz h_amount:numeric h_data',
  ),
  orders: table(
    'orders',
    'o_id:int o_d_id:int o_w_id:int o_c_id:int o_entry_d:timestamptz o_carrier_id:int o_ol_cnt:int o_all_local:int',
  ),
  newOrder: table('new_order', 'no_o_id:int no_d_id:int no_w_id:int'),
  orderLine: table(
    'order_line',
    'ol_o_id:int ol_d_id:int ol_w_id:int ol_number:int ol_i_id:int ol_supply_w_id:int ol_delivery_d:timestamptz ' +
      'ol_quantity:int ol_amount:numeric ol_dist_info',
  ),
};
