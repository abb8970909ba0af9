use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::scenario::*;
struct No; impl Fragments for No { fn read(&self,_:&str,_:&str)->Result<SourceText,String>{Err("no".into())} }
fn main(){ for f in std::env::args().skip(1) { let t=std::fs::read_to_string(&f).unwrap();
 let k=KnownGateway{name:"embedded".into(),params:vec![],can:["bucket","host","endpoint","sign","region"].map(String::from).to_vec()};
 let o=Options{known:Known{embedded:k.clone(),recipes:vec![],presets:vec!["strict".into()],defects:vec![]},..Default::default()};
 match load(&SourceText::new(f.clone(),t),&No,&o){Ok(l)=>println!("ok {f} {} {}",l.cases.len(),l.warnings),Err(e)=>println!("{e}")} } }
