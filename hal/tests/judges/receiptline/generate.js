// Makes vectors.txt: `npm install receiptline@4.0.4 && node generate.js > vectors.txt`.
// receiptline is Apache-2.0; it is used here as a judge only and is no part of the product.
const receiptline = require('receiptline');
const options = { cpl: 48, encoding: 'gb18030', command: 'generic', cutting: true };
const documents = {
    text: '姓名 | 样本甲\n退役军人服务回执\n鎔｜２０２６\n',
    qr: '{code:RG20261123-0001;option:qrcode,6,m}\n',
};
for (const [name, text] of Object.entries(documents)) {
    const bytes = Buffer.from(receiptline.transform(text, options), 'binary');
    console.log(name + ' ' + bytes.toString('hex'));
}
